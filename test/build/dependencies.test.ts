// Which imports the check of dependencies forbids.

import test from 'ava';
import { findForbiddenImports, forbiddenImports } from '../../build/dependencies.ts';

const allowed = test.macro<[file: string, text: string]>({
	exec(t, file, text) {
		t.deepEqual(forbiddenImports(file, text), []);
	},
	title: (_title, file, text) => `${file} may hold: ${text.replaceAll(/\s+/g, ' ')}`,
});

const forbidden = test.macro<[file: string, text: string, expected: RegExp]>({
	exec(t, file, text, expected) {
		const found = forbiddenImports(file, text);
		t.is(found.length, 1);
		t.regex(found[0]!, expected);
	},
	title: (_title, file, text) => `${file} may not hold: ${text.replaceAll(/\s+/g, ' ')}`,
});

test(allowed, 'bridge/add.ts', "import { a } from './undo.ts';\nimport {\n\tb,\n} from '../netlink/link.ts';");
test(allowed, 'ipam/store/lease.ts', "import { a } from '../range.ts';\nimport { b } from '../../cni/errors.ts';");
test(allowed, 'netlink/connection.ts', "import { socket } from '#libc';\nawait import('node:fs');");
test(allowed, 'cni/delegate.ts', "const { spawnSync } = await import('node:child_process');");
test(allowed, 'cni/delegate.ts', "import type { SpawnSyncReturns } from 'node:child_process';");
test(allowed, 'cni/errors.ts', "export const from = 'node:path';");
test(allowed, 'linux/libc.bun.ts', "import { dlopen } from 'bun:ffi';");
test(allowed, 'main.ts', "import { dispatch } from './cni/dispatch.ts';\nawait import('./bridge/plugin.ts');");
test(
	allowed,
	'cli/version.ts',
	"import about from '../../package.json' with { type: 'json' };\nimport { join } from 'node:path';",
);

test(
	forbidden,
	'netlink/link.ts',
	"import { CniError } from '../cni/errors.ts';",
	/"netlink" may import from ip, linux$/,
);
test(forbidden, 'cni/request.ts', "import type { Link } from '../netlink/link.ts';", /"cni" may import from ip$/);
test(forbidden, 'ipam/plugin.ts', "await import('../bridge/plugin.ts')", /"ipam" may import from/);
test(forbidden, 'ipam/plugin.ts', "export { a } from '../nat/ports.ts';", /"ipam" may import from/);
test(forbidden, 'ip/cidr.ts', "import { CniError } from '../cni/errors.ts';", /"ip" may import from nothing else$/);
test(forbidden, 'cni/errors.ts', "import { socket } from '#libc';", /imports "#libc": "cni" may/);
test(forbidden, 'bridge/add.ts', "import '../main.ts';", /imports "..\/main.ts": "bridge" may/);
test(forbidden, 'bridge/add.ts', "import about from '../../package.json' with { type: 'json' };", /"bridge" may/);
test(forbidden, 'bridge/add.ts', "import { join } from 'node:path';", /every call would pay/);
test(forbidden, 'linux/flock.ts', "import { dlopen } from 'bun:ffi';", /every call would pay/);
test(forbidden, 'linux/libc.node.ts', "import { readSync } from 'node:fs';", /every call would pay/);
test(forbidden, 'main.ts', "import { addBridge } from './bridge/add.ts';", /every call would pay/);
test(forbidden, 'new/file.ts', '', /knows no "new"/);

test('no file of src imports what it may not', (t) => {
	t.deepEqual(findForbiddenImports('.'), []);
});
