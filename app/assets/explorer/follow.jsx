import { pick, useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';

import { headersFollowing, variablesFollowing } from './accounts.js';

/** Keeps the open tab on the chosen demo account, whenever the account or the tab changes. Draws nothing. */
export function FollowAccount({ accounts, account, tabs }) {
  const state = useGraphiQL(pick('headerEditor', 'variableEditor', 'tabs', 'activeTabIndex'));
  const { headerEditor, variableEditor } = state;
  const { id, operationName } = state.tabs[state.activeTabIndex];

  useEffect(() => {
    if (!account || !headerEditor || !variableEditor) return;
    change(headerEditor, (text) => headersFollowing(text, accounts, account));
    change(variableEditor, (text) => variablesFollowing(text, operationName, { tabs, accounts, account }));
  }, [accounts, account, tabs, headerEditor, variableEditor, id, operationName]);
  return null;
}

function change(editor, follow) {
  const text = editor.getValue();
  const followed = follow(text);
  if (followed !== text) editor.setValue(followed);
}
