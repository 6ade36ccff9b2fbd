import { expectTypeOf, test } from 'vitest';
import {
  deletePrivateFile,
  isPrivateFileError,
  type PrivateFileErrorCode,
  type PrivateFileOptions,
  readPrivateFile,
  replacePrivateFile,
  type UpdatePrivateFileOptions,
  updatePrivateFile,
} from '../src/index.ts';

// Checked by `tsc --noEmit`; nothing of it runs.
test('types', () => {
  // Absence is a value, not an error.
  expectTypeOf(readPrivateFile).returns.resolves.toEqualTypeOf<string | undefined>();
  expectTypeOf(deletePrivateFile).returns.resolves.toEqualTypeOf<boolean>();
  expectTypeOf(replacePrivateFile).toBeCallableWith('/file', 'text', { gitignore: true });
  expectTypeOf(updatePrivateFile).toBeCallableWith('/file', (text) => text?.trim());
  expectTypeOf(updatePrivateFile).toBeCallableWith('/file', async () => undefined, { lockTimeoutMs: 10 });
  expectTypeOf<UpdatePrivateFileOptions>().toExtend<PrivateFileOptions>();
  expectTypeOf<PrivateFileErrorCode>().toExtend<`SP_FILE_${string}`>();

  const error: unknown = undefined;
  if (isPrivateFileError(error)) {
    expectTypeOf(error.code).toEqualTypeOf<PrivateFileErrorCode>();
    expectTypeOf(error.path).toEqualTypeOf<string>();
  }
  // @ts-expect-error a whole file is text
  void replacePrivateFile('/file', Buffer.of(1));
});
