import { pick, useGraphiQL } from '@graphiql/react';
import { useEffect, useState } from 'react';

import { curlCommand } from './curl.js';

/** The bar on top: what this page is, who one is in the demo, and the open request as curl. */
export function Bar({ accounts, account, onAccount, endpoint }) {
  return (
    <>
      <Mark />
      <h1>
        Seatport <span>explorer</span>
      </h1>
      {account && <AccountPicker accounts={accounts} account={account} onAccount={onAccount} />}
      <CopyAsCurl endpoint={endpoint} />
    </>
  );
}

function AccountPicker({ accounts, account, onAccount }) {
  const customers = [...new Set(accounts.map(({ customer }) => customer))];
  const roles = accounts.filter(({ customer }) => customer === account.customer).map(({ role }) => role);
  const choose = (customer, role) => {
    const sameCustomer = accounts.filter((one) => one.customer === customer);
    onAccount(sameCustomer.find((one) => one.role === role) ?? sameCustomer[0]);
  };
  return (
    <div className="account">
      <span className="badge">Demo</span>
      <Choice label="Customer" options={customers} value={account.customer} onChange={(value) => choose(value, account.role)} />
      <Choice label="Role" options={roles} value={account.role} onChange={(value) => choose(account.customer, value)} />
    </div>
  );
}

function Choice({ label, options, value, onChange }) {
  return (
    <label>
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        {options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    </label>
  );
}

const COPY = 'Copy as curl';

function CopyAsCurl({ endpoint }) {
  const state = useGraphiQL(pick('queryEditor', 'variableEditor', 'headerEditor', 'operationName'));
  const [label, setLabel] = useState(COPY);
  useEffect(() => {
    const timer = setTimeout(() => setLabel(COPY), 2000);
    return () => clearTimeout(timer);
  }, [label]);

  const copy = async () => {
    try {
      await writeToClipboard(
        curlCommand(new URL(endpoint, location.href).href, {
          query: state.queryEditor.getValue(),
          operationName: state.operationName,
          variables: state.variableEditor.getValue(),
          headers: state.headerEditor.getValue(),
        }),
      );
      setLabel('Copied');
    } catch (error) {
      setLabel(error instanceof SyntaxError ? 'Variables or headers are not JSON' : 'The browser refused to copy');
    }
  };
  return (
    <button type="button" className="copy" onClick={copy} disabled={!state.headerEditor} aria-live="polite">
      {label}
    </button>
  );
}

// The clipboard API exists on https and localhost only; a demo may run on plain http in an office network.
async function writeToClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) throw new Error('copy refused');
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#4f46e5" />
      <path d="M11 7v10h10M11 17v8M21 17v8" fill="none" stroke="#fff" strokeWidth="3" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
