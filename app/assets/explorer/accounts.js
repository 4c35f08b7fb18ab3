// What a tab holds for one demo account: its text, its variables, its Authorization header.

/** The stored operation under a comment that says what it shows; GraphiQL labels the tab by operation name. */
export function tabText(tab) {
  return heading(tab) + tab.query;
}

/** The stored operation that a text was opened from: the one whose comment still heads it, if any. */
export function storedTab(tabs, text) {
  return tabs.find((tab) => text?.startsWith(heading(tab)));
}

/** The variables of a tab that are valid for this account. */
export function variablesFor(tab, account) {
  return account?.variables[tab.title] ?? tab.variables;
}

/** The headers that sign this account in; none outside demo mode. */
export function headersFor(account) {
  return account && { Authorization: `Bearer ${account.token}` };
}

/** The same as the headers editor shows them. */
export function headersText(account) {
  return account && JSON.stringify(headersFor(account), null, 2);
}

/** The headers with another demo account's token changed to this one's; headers typed by hand stay. */
export function headersFollowing(text, accounts, account) {
  const other = accounts.find(({ token }) => token !== account.token && text.includes(token));
  return other ? text.replaceAll(other.token, account.token) : text;
}

/** This account's variables where another account's defaults still stand; edited variables stay. */
export function variablesFollowing(text, tab, { accounts, account }) {
  const isUntouched = tab && accounts.some((one) => variablesFor(tab, one) === text);
  return isUntouched ? variablesFor(tab, account) : text;
}

function heading(tab) {
  return `# ${tab.title}\n`;
}
