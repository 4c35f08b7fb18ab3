// The explorer page: GraphiQL with panes for docs, stored operations, history and building a query by clicks. Its
// configuration is JSON in the `data-config` attribute, so the page needs no inline script.
import 'graphiql/setup-workers/vite';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { useState } from 'react';
import { createPortal } from 'react-dom';
import { createRoot } from 'react-dom/client';

import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './style.css';

import { headersFor, headersText, tabText, variablesFor } from './accounts.js';
import { Bar } from './bar.jsx';
import { EditorOptions } from './editors.jsx';
import { post } from './fetcher.js';
import { FollowAccount } from './follow.jsx';
import { operationsPane } from './pane.jsx';
import { hasStoredTabs, pageStorage } from './storage.js';

const root = document.getElementById('explorer');
const config = JSON.parse(root.dataset.config);
const isDemo = config.accounts.length > 0;
const firstAccount = config.accounts[0];
const operations = operationsPane(config.tabs, firstAccount);
const plugins = [operations, HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];
const fetcher = post(config.endpoint, headersFor(firstAccount));
const storage = pageStorage({ keepTabs: !isDemo, headers: headersText(firstAccount) });

function startingTabs() {
  return config.tabs.map((tab) => ({
    query: tabText(tab),
    variables: variablesFor(tab, firstAccount),
    headers: headersText(firstAccount),
  }));
}

// GraphiQL shows `defaultTabs` but fills the editors of the first one from the `initial…` properties.
function starting() {
  const tabs = startingTabs();
  if (tabs.length === 0 || (!isDemo && hasStoredTabs(storage))) return {};
  return { defaultTabs: tabs, initialQuery: tabs[0].query, initialVariables: tabs[0].variables };
}

function Page() {
  const [account, setAccount] = useState(firstAccount);
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultHeaders={headersText(firstAccount)}
      defaultEditorToolsVisibility="variables"
      plugins={plugins}
      visiblePlugin={operations}
      schemaDescription
      shouldPersistHeaders={false}
      storage={storage}
      {...starting()}
    >
      <GraphiQL.Logo>
        <span />
      </GraphiQL.Logo>
      <EditorOptions />
      <FollowAccount accounts={config.accounts} account={account} tabs={config.tabs} />
      {createPortal(
        <Bar accounts={config.accounts} account={account} onAccount={setAccount} endpoint={config.endpoint} />,
        document.getElementById('bar'),
      )}
    </GraphiQL>
  );
}

createRoot(root).render(<Page />);
