import { pick, useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';

import { headersFollowing, storedTab, variablesFollowing } from './accounts.js';

/**
 * Keeps the open tab on the chosen demo account, whenever the account or the tab changes or an entry of the history
 * brings the headers of another account back. Draws nothing.
 */
export function FollowAccount({ accounts, account, tabs }) {
  const state = useGraphiQL(pick('headerEditor', 'variableEditor', 'tabs', 'activeTabIndex'));
  const { headerEditor, variableEditor } = state;
  const { id, query } = state.tabs[state.activeTabIndex];
  const tab = storedTab(tabs, query);

  useEffect(() => {
    if (!account || !headerEditor) return undefined;
    const follow = () => change(headerEditor, (text) => headersFollowing(text, accounts, account));
    follow();
    const listening = headerEditor.onDidChangeModelContent(follow);
    return () => listening.dispose();
  }, [accounts, account, headerEditor, id]);

  useEffect(() => {
    if (!account || !variableEditor) return;
    change(variableEditor, (text) => variablesFollowing(text, tab, { accounts, account }));
  }, [accounts, account, variableEditor, id, tab]);
  return null;
}

function change(editor, follow) {
  const text = editor.getValue();
  const followed = follow(text);
  if (followed !== text) editor.setValue(followed);
}
