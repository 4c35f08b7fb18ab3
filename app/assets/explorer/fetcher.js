/** GraphiQL's fetcher: one POST for each run; an answer that is not JSON is shown with its HTTP status. */
export function post(endpoint) {
  return async (request, options) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json', ...options?.headers },
      body: JSON.stringify(request),
    });
    const text = await response.text();
    try {
      return JSON.parse(text);
    } catch {
      return { status: response.status, statusText: response.statusText, body: text };
    }
  };
}
