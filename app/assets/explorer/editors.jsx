import { useMonaco } from '@graphiql/react';
import { useEffect } from 'react';

// Formulas and amounts are printed with their true signs (×, −, –) and with spaces that do not break. Monaco would
// draw a box around each of them, as something that only looks like ASCII.
const OPTIONS = {
  wordWrap: 'on',
  unicodeHighlight: { ambiguousCharacters: false, allowedCharacters: { '\u00a0': true, '\u202f': true } },
};

/** Sets what all editors of the page have in common, whenever each of them is made. Draws nothing. */
export function EditorOptions() {
  const monaco = useMonaco((state) => state.monaco);

  useEffect(() => {
    if (!monaco) return undefined;
    const set = (editor) => editor.updateOptions(OPTIONS);
    monaco.editor.getEditors().forEach(set);
    const listening = monaco.editor.onDidCreateEditor(set);
    return () => listening.dispose();
  }, [monaco]);
  return null;
}
