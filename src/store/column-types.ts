/** How columns read and write, on both databases. */
import type { ColumnType } from 'kysely';

export type Timestamp = ColumnType<Date, Date, Date>;
export type NullableTimestamp = ColumnType<Date | null, Date | null | undefined, Date | null>;
export type Blob = ColumnType<Uint8Array, Uint8Array, Uint8Array>;
export type NullableBlob = ColumnType<Uint8Array | null, Uint8Array | null | undefined, Uint8Array | null>;
/** `bigint` column: read and written as a JavaScript number; the store parses it and refuses what is not a safe integer. */
export type SafeInteger = ColumnType<number, number, number>;
export type Nullable<T> = ColumnType<T | null, T | null | undefined, T | null>;
