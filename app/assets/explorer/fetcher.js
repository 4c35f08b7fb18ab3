import { operationNameIn } from './operations.js';

/**
 * GraphiQL's fetcher: one POST for each run; an answer that is not JSON is shown with its HTTP status.
 * GraphiQL reads the schema before its headers editor exists, so that request takes `introspectionHeaders`.
 */
export function post(endpoint, introspectionHeaders) {
  return async (request, options) => {
    const isIntrospection = request.operationName === 'IntrospectionQuery';
    const headers = options?.headers ?? (isIntrospection ? introspectionHeaders : undefined);
    const response = await fetch(endpoint, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json', ...headers },
      body: JSON.stringify({ ...request, operationName: operationNameIn(request.query, request.operationName) }),
    });
    const text = await response.text();
    try {
      return JSON.parse(text);
    } catch {
      return { status: response.status, statusText: response.statusText, body: text };
    }
  };
}
