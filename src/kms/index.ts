/** Data keys from a key management service: AWS KMS, or a key file for development. */
export { type OpenAwsKmsOptions, openAwsKms } from './aws.ts';
export { KeyFileError } from './key-file.ts';
export type {
  DataKey,
  DecryptDataKeyInput,
  DescribeKeyInput,
  GenerateDataKeyInput,
  KeyContext,
  KeyDescription,
  Kms,
} from './kms.ts';
export { type OpenLocalKmsOptions, openLocalKms } from './local.ts';
