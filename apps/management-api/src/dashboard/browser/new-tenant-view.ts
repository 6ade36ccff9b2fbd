import { type Plan, regions, tenantNamePattern } from '@sp/cloud-api';
import { element } from './element.ts';
import { isAborted } from './problem.ts';
import type { ViewContext } from './view.ts';

const nameRule = 'Lower-case letters, digits and inner hyphens, at most 40.';

/** The form by which a tenant is bought. Payment happens on a page of its own, which returns here. */
export function showNewTenant(context: ViewContext): void {
  const { api, place, signal, title, complain, calm } = context;
  title('New tenant');
  const plans = element('div', { class: 'choices' }, element('p', { class: 'quiet' }, 'Loading…'));
  const name = element('input', {
    id: 'name',
    name: 'name',
    required: true,
    maxlength: 40,
    // Browsers read patterns with the flag v, in which a hyphen in a class has to be escaped.
    pattern: tenantNamePattern.source.slice(1, -1).replaceAll('-]', '\\-]'),
    title: nameRule,
    autocomplete: 'off',
    spellcheck: 'false',
    autocapitalize: 'none',
    'aria-describedby': 'name-rule',
  });
  const region = element(
    'select',
    { id: 'region', name: 'region' },
    ...Object.entries(regions).map(([value, label]) => element('option', { value }, `${label} · ${value}`)),
  );
  const submit = element('button', { type: 'submit', class: 'primary' }, 'Continue to payment');
  const form = element(
    'form',
    {
      class: 'card form',
      onsubmit: async (event) => {
        event.preventDefault();
        const plan = new FormData(form).get('plan');
        // The plans are still on their way.
        if (typeof plan !== 'string') return;
        calm();
        submit.disabled = true;
        try {
          const { checkoutUrl } = await api.checkout.create({
            priceId: plan,
            region: region.value,
            tenantName: name.value,
            redirectUri: `${location.origin}/`,
          });
          location.assign(checkoutUrl);
        } catch (error) {
          submit.disabled = false;
          complain(error);
        }
      },
    },
    element('div', { class: 'field' }, element('label', { for: 'name' }, 'Name'), name),
    element('p', { class: 'quiet hint', id: 'name-rule' }, nameRule),
    element('fieldset', {}, element('legend', {}, 'Plan'), plans),
    element('div', { class: 'field' }, element('label', { for: 'region' }, 'Region'), region),
    element('div', { class: 'actions' }, submit, element('a', { class: 'button', href: '#/' }, 'Cancel')),
  );
  place.append(form);
  name.focus();
  api.plans.list({ signal }).then(
    (all) => plans.replaceChildren(...all.map(drawPlan)),
    (error: unknown) => {
      if (!isAborted(error)) complain(error);
    },
  );
}

function drawPlan(plan: Plan, index: number): HTMLElement {
  const { id, name, paddlePriceId, memoryMbDefault, volumeGb } = plan;
  return element(
    'label',
    { class: 'choice' },
    element('input', { type: 'radio', name: 'plan', value: paddlePriceId, id: `plan-${id}`, checked: index === 0 }),
    element(
      'span',
      {},
      element('strong', {}, name),
      element('span', { class: 'quiet' }, `${memoryMbDefault} MB memory · ${volumeGb} GB storage`),
    ),
  );
}
