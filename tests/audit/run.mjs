// Runs every audit against a server: node run.mjs URL TOKEN. Prints what each found, as JSON.
import { serverAudits } from 'graphql-http';

const [url, token] = process.argv.slice(2);
const signedIn = (address, init = {}) =>
  fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });

const found = [];
for (const audit of serverAudits({ url, fetchFn: signedIn })) {
  const { status, reason } = await audit.fn();
  found.push({ id: audit.id, name: audit.name, status, reason: reason ?? null });
}
console.log(JSON.stringify(found));
