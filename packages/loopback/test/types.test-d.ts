import { expectTypeOf, test } from 'vitest';
import {
  createLoopback,
  isLoopbackError,
  type LoopbackErrorCode,
  type LoopbackListener,
  type LoopbackPage,
  type LoopbackReply,
  type PageTone,
  type RenderedPage,
  renderPage,
} from '../src/index.ts';

// Checked by `tsc --noEmit`; nothing of it runs.
test('types', async () => {
  expectTypeOf(createLoopback).toBeCallableWith();
  expectTypeOf(createLoopback).returns.resolves.toEqualTypeOf<LoopbackListener>();
  expectTypeOf<LoopbackListener>().toExtend<AsyncDisposable>();
  expectTypeOf(renderPage).returns.toEqualTypeOf<RenderedPage>();
  expectTypeOf<string | RenderedPage>().toEqualTypeOf<LoopbackPage>();
  expectTypeOf<PageTone>().toEqualTypeOf<'success' | 'error' | 'waiting'>();
  expectTypeOf<LoopbackErrorCode>().toExtend<`SP_LOOPBACK_${string}`>();

  const listener = await createLoopback({ port: 0 });
  // The value of the reply is what is waited for.
  const value = listener.wait((query) => ({ page: 'Done', done: true, value: query.get('code') }));
  expectTypeOf(value).resolves.toEqualTypeOf<string | null>();
  expectTypeOf<{ page: string; done: false }>().toExtend<LoopbackReply<string>>();
  expectTypeOf<{ page: string; done: true; error: Error }>().toExtend<LoopbackReply<string>>();
  expectTypeOf<{ page: string; done: true }>().not.toExtend<LoopbackReply<string>>();

  const error: unknown = undefined;
  if (isLoopbackError(error)) {
    expectTypeOf(error.code).toEqualTypeOf<LoopbackErrorCode>();
    expectTypeOf(error.port).toEqualTypeOf<number | undefined>();
  }
  // @ts-expect-error a misspelt option is an error
  void createLoopback({ prot: 1 });
});
