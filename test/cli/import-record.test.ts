import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { isOnlySource, recordImport } from '../../src/cli/import-record.ts';
import { createStore } from '../../src/ipam/store.ts';
import { processAt, temporaryDirectory } from '../ipam/stores.ts';

const [here, there] = ['/var/lib/cni/networks/dcos', '/var/lib/cni/networks/other'];

for (const [title, imports, expected] of [
	['nothing was imported', [], false],
	['once, from here', [[here, false]], true],
	[
		'twice, from here',
		[
			[here, false],
			[here, false],
		],
		true,
	],
	['from elsewhere', [[there, false]], false],
	[
		'from here and elsewhere',
		[
			[here, false],
			[there, false],
		],
		false,
	],
	['the files were moved', [[here, true]], false],
	[
		'some of the files were moved',
		[
			[here, false],
			[here, true],
		],
		false,
	],
] as const) {
	test(`${title}: the directory ${expected ? 'tells' : 'does not tell'} who has left`, (t) => {
		const { store } = processAt(temporaryDirectory(t));
		createStore(store);
		for (const [directory, moved] of imports) recordImport(store, directory, moved);
		t.is(isOnlySource(store, here), expected);
	});
}

test('only root may read it', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	createStore(store);
	recordImport(store, here, false);
	t.is(statSync(`${store.directory}/imported-from`).mode & 0o777, 0o600);
});

test('a symbolic link in its place is not followed', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	createStore(store);
	const [path, target] = [`${store.directory}/imported-from`, `${store.dataDirectory}/target`];
	writeFileSync(target, 'precious');
	symlinkSync(target, path);
	t.throws(() => recordImport(store, here, false), { message: `writing "${path}": ELOOP` });
	t.is(readFileSync(target, 'utf8'), 'precious');
});
