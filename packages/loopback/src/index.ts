/** A one-shot callback listener on 127.0.0.1 with escaped HTML pages. */
export { createLoopback, type LoopbackListener, type LoopbackOptions, type WaitOptions } from './create-loopback.ts';
export { escapeHtml } from './escape-html.ts';
export { isLoopbackError, LoopbackError, type LoopbackErrorCode, type LoopbackErrorFacts } from './loopback-error.ts';
export {
  type LoopbackPage,
  type LoopbackReply,
  type LoopbackRequest,
  type LoopbackRoute,
  type LoopbackRouteReply,
} from './loopback-reply.ts';
export { type PageOptions, type PageTone, type RenderedPage, renderPage } from './render-page.ts';
