import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';

import { storedTab, tabText, variablesFor } from './accounts.js';
import { operationNameIn } from './operations.js';

/** A GraphiQL pane that lists the stored operations by what they show, and brings each to the front. */
export function operationsPane(tabs, account) {
  return { title: 'Stored operations', icon: ListIcon, content: () => <Operations tabs={tabs} account={account} /> };
}

function Operations({ tabs, account }) {
  const state = useGraphiQL(pick('tabs', 'activeTabIndex', 'queryEditor', 'variableEditor'));
  const { addTab, changeTab } = useGraphiQLActions();
  const shown = storedTab(tabs, state.tabs[state.activeTabIndex].query);

  const open = (tab) => {
    const index = state.tabs.findIndex(({ query }) => storedTab(tabs, query) === tab);
    if (index >= 0) return changeTab(index);
    addTab();
    state.queryEditor.setValue(tabText(tab));
    state.variableEditor.setValue(variablesFor(tab, account));
    return undefined;
  };
  return (
    <section aria-label="Stored operations" className="operations">
      <h2>Stored operations</h2>
      <p>Everything a billing page asks, ready to run.</p>
      <ol>
        {tabs.map((tab) => (
          <li key={tab.title}>
            <button type="button" aria-current={tab === shown} onClick={() => open(tab)}>
              {tab.title}
              <code>{operationNameIn(tab.query)}</code>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function ListIcon(properties) {
  return (
    <svg height="1em" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" {...properties}>
      <path d="M9 6h12M9 12h12M9 18h12M3 5l1.5 1.5L7 4M3 11l1.5 1.5L7 10M3 17l1.5 1.5L7 16" strokeLinejoin="round" />
    </svg>
  );
}
