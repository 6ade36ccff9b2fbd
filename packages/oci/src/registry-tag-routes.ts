import { answer, errorAnswer } from './registry-answer.ts';
import type { RegistryStorage } from './registry-storage.ts';

/** GET of the tags, in order, in pages of `n` after `last`. */
export async function listTags(
  storage: RegistryStorage,
  { repository, url }: { readonly repository: string; readonly url: URL },
): Promise<Response> {
  const all = await storage.listTags(repository);
  if (all === undefined) return errorAnswer(404, { code: 'NAME_UNKNOWN', message: 'no such repository' });
  const count = url.searchParams.get('n');
  if (count !== null && !/^[0-9]{1,9}$/.test(count)) {
    return errorAnswer(400, { code: 'UNSUPPORTED', message: '`n` is not a number' });
  }
  const last = url.searchParams.get('last') ?? '';
  const rest = all.filter((tag) => tag > last);
  const tags = count === null ? rest : rest.slice(0, Number(count));
  const end = tags.at(-1);
  const more = end !== undefined && tags.length < rest.length;
  const next = `/v2/${repository}/tags/list?n=${count}&last=${encodeURIComponent(end ?? '')}`;
  const headers = { 'content-type': 'application/json', ...(more ? { link: `<${next}>; rel="next"` } : {}) };
  return answer(200, headers, JSON.stringify({ name: repository, tags }));
}
