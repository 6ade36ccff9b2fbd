/** Read and atomically replace a file that only its owner may see. */
export { deletePrivateFile } from './delete-private-file.ts';
export {
  isPrivateFileError,
  PrivateFileError,
  type PrivateFileErrorCode,
  type PrivateFileErrorFacts,
} from './private-file-error.ts';
export { type PrivateFileOptions } from './private-file-options.ts';
export { readPrivateFile } from './read-private-file.ts';
export { replacePrivateFile } from './replace-private-file.ts';
export { type UpdatePrivateFileOptions, updatePrivateFile } from './update-private-file.ts';
