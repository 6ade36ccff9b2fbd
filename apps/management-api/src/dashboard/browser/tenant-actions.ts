import type { TenantInfo, TenantStatus } from '@sp/cloud-api';
import { confirm } from './confirm.ts';
import { element, workButton } from './element.ts';
import type { ViewContext } from './view.ts';

/** What can be done to a tenant in its state. */
export function drawActions(
  context: ViewContext,
  { tenant, status }: { readonly tenant: TenantInfo; readonly status: TenantStatus },
): HTMLElement {
  const { api, announce, complain, calm, navigate } = context;
  const { id, name } = tenant;

  const button = (label: string, work: () => Promise<void>, tone = ''): HTMLElement =>
    workButton({ class: tone, 'data-key': label }, label, async () => {
      calm();
      await work().catch(complain);
    });

  const restart = async (): Promise<void> => {
    announce(`Restarting ${name}.`);
    const { status: outcome, message } = await api.tenants.restart(id);
    if (outcome === 'failed') throw new Error(message ?? 'The machine did not start again.');
    announce(`${name} was restarted.`);
  };
  const retry = async (): Promise<void> => {
    await api.tenants.retryProvision(id);
    announce(`Provisioning of ${name} goes on.`);
  };
  const remove = async (): Promise<void> => {
    const text =
      'Its machine, database, images and secrets are deleted, and its subscription ends. Nobody can undo this.';
    if (!(await confirm({ title: `Delete ${name}?`, text, action: 'Delete tenant', name }))) return;
    await api.tenants.delete(id);
    announce(`${name} is deleted.`);
    navigate({ view: 'tenants' });
  };

  return element(
    'div',
    { class: 'buttons' },
    status.status === 'provision_failed' && button('Retry', retry, 'primary'),
    status.status === 'running' && button('Restart', restart),
    button('Delete…', remove, 'danger'),
  );
}
