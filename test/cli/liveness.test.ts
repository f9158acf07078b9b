import { statSync } from 'node:fs';
import test from 'ava';
import { namespaceState } from '../../src/cli/liveness.ts';
import type { Lease } from '../../src/ipam/lease.ts';

const path = '/proc/self/ns/net';
const { dev: device, ino: inode } = statSync(path);
const here = { netns: path, namespace: { device, inode } };
const gone = { netns: '/run/netns/no-such-namespace', namespace: { device, inode } };

function lease(changes: Pick<Lease, 'netns' | 'namespace'>, bootId = 'now'): Lease {
	const attachment = { containerId: 'c1', ifname: 'eth0', network: 'dcos', address: '9.0.1.2', index: 0 };
	return { ...attachment, bootId, time: 0, ...changes };
}

for (const [title, found, expected] of [
	['the same namespace', lease(here), 'alive'],
	['another one at its path', lease({ ...here, namespace: { device, inode: inode + 1 } }), 'gone'],
	['nothing at its path', lease(gone), 'gone'],
	['of an earlier boot, whatever is at its path', lease(here, 'before'), 'gone'],
	['no path', lease({ ...here, netns: '' }), 'unknown'],
	['a path that leads elsewhere from here', lease({ ...here, netns: 'proc/self/ns/net' }), 'unknown'],
	['it was not looked at', lease({ netns: path }), 'unknown'],
	['it cannot be looked at', lease({ ...gone, netns: `${path}/below` }), 'unknown'],
] as const) {
	test(`${title}: ${expected}`, (t) => {
		t.is(namespaceState(found, 'now'), expected);
	});
}
