import test from 'ava';
import { suggest } from '../../src/cli/suggestion.ts';

const known = ['leases', 'leases release', 'leases import', '--help'];

for (const [typed, meant] of [
	['lease', 'leases'],
	['laeses', 'leases'],
	['leases relaese', 'leases release'],
	['--hlep', '--help'],
	['leases imports', 'leases import'],
] as const) {
	test(`"${typed}" was perhaps "${meant}"`, (t) => {
		t.is(suggest(typed, known), ` (did you mean "${meant}"?)`);
	});
}

test('what is like nothing gets no suggestion', (t) => {
	t.is(suggest('frobnicate', known), '');
	t.is(suggest('', known), '');
	t.is(suggest('leases', []), '');
});
