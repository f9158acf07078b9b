// An operator moves from host-local to our leases while containers run, and back.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { silent } from '../helpers/assertions.ts';
import { attach, prepare } from '../helpers/attach.ts';
import { attachment, executable, toolDirectory } from '../helpers/cni.ts';
import { eventually, run } from '../helpers/command.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { leases, shown } from '../helpers/leases.ts';
import type { Namespace } from '../helpers/namespace.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

/** A network whose containers the reference bridge attaches, with addresses of host-local; ours can take it over. */
function referenceNetwork(host: Host) {
	const dataDir = join(host.directory, 'host-local');
	const directory = join(dataDir, host.network);
	const subnet = '10.7.0.0/24';
	const shared = { name: host.network, bridge: host.bridge, isGateway: true };
	const old = { cniVersion: '1.0.0', ...shared, type: 'bridge', ipam: { type: 'host-local', subnet, dataDir } };
	const ours = {
		...shared,
		ipam: { agentSubnet: subnet, overlay: '10.0.0.0/8', prefix: 24, half: 'all' },
	};
	const reference = { executable: join(toolDirectory, 'bridge') };
	const attachByReference = (container: Namespace, containerId: string) => {
		const described = attachment(host, container, old, { containerId });
		const add = () => described.add(reference);
		return { ...described, add, del: () => described.del(reference) };
	};
	return { directory, ours, attachByReference };
}

testOn(
	'reference-plugins',
	'import: containers go on, their addresses are not given again, our DEL detaches them',
	(t) => {
		const host = createHost(t);
		const { directory, ours, attachByReference } = referenceNetwork(host);
		const [first, second] = [host.container(), host.container()];
		t.is(attachByReference(first, 'first').add().json?.ips[0]?.address, '10.7.0.2/24');
		t.is(attachByReference(second, 'second').add().status, 0);
		const files = readdirSync(directory).toSorted();

		const tried = leases(host, ['import', '--from', directory, '--dry-run']);
		t.like(tried, { status: 0, stderr: '' });
		t.regex(tried.stdout, /^would import 10\.7\.0\.2: container "first" \(interface "eth0"\)$/m);
		t.false(existsSync(host.dataDir));

		const imported = leases(host, ['import', '--from', directory]);
		t.like(imported, { status: 0, stderr: '' });
		t.is(imported.stdout.match(/^imported 10\.7\.0\.[23]: /gm)?.length, 2, imported.stdout);
		t.deepEqual(readdirSync(directory).toSorted(), files);
		const once = host.snapshot().leases;
		const again = leases(host, ['import', '--from', `${directory}/`]);
		t.like(again, { status: 0, stderr: '' });
		t.is(again.stdout.match(/^had imported /gm)?.length, 2, again.stdout);
		t.deepEqual(host.snapshot().leases, once);
		for (const { namespace, boot } of shown(host)) t.deepEqual([namespace, boot], ['unknown', 'this']);
		t.true(ping(first, '10.7.0.1'));

		const third = attach(t, host, ours, { containerId: 'third' });
		t.is(third.result.ips[0]?.address, '10.7.0.4/24');
		t.true(ping(third.container, '10.7.0.2'));
		t.true(ping(first, '10.7.0.4'));

		const ports = host.links().length;
		silent(t, prepare(host, ours, { container: first, containerId: 'first' }).del());
		t.is(first.link('eth0'), undefined);
		t.is(host.links().length, ports - 1);
		t.deepEqual(
			shown(host).map(({ address }) => address),
			['10.7.0.3', '10.7.0.4'],
		);
		t.true(ping(third.container, '10.7.0.3'));
	},
);

testOn('reference-plugins', 'prune: what the reference plugins have detached since is released', (t) => {
	const host = createHost(t);
	const { directory, attachByReference } = referenceNetwork(host);
	const [first, second] = ['first', 'second'].map((id) => attachByReference(host.container(), id));
	t.is(first!.add().status, 0);
	t.is(second!.add().status, 0);
	t.is(leases(host, ['import', '--from', directory]).status, 0);
	t.like(leases(host, ['prune', '--from', directory]), { status: 0, stdout: '', stderr: '' });
	silent(t, first!.del());
	t.like(leases(host, ['prune', '--from', directory, '--dry-run']), {
		status: 0,
		stdout: 'would release 10.7.0.2: container "first" (interface "eth0")\n',
	});
	t.like(leases(host, ['prune', '--from', directory]), {
		status: 0,
		stdout: 'released 10.7.0.2: container "first" (interface "eth0")\n',
	});
	t.deepEqual(
		shown(host).map(({ containerId }) => containerId),
		['second'],
	);
});

testOn('reference-plugins', 'import --move takes the files away, and nothing is pruned then', (t) => {
	const host = createHost(t);
	const { directory, attachByReference } = referenceNetwork(host);
	t.is(attachByReference(host.container(), 'first').add().status, 0);
	writeFileSync(join(directory, '10.7.0.9'), '');
	t.is(leases(host, ['import', '--from', directory, '--move']).status, 1);
	t.deepEqual(readdirSync(directory).toSorted(), ['10.7.0.9', 'last_reserved_ip.0', 'lock']);
	t.is(shown(host).length, 1);
	const pruned = leases(host, ['prune', '--from', directory]);
	t.is(pruned.status, 1);
	t.regex(pruned.stderr, /or the files were moved/);
	t.is(shown(host).length, 1);
});

test('import: files that are empty, cut, old, conflicting or foreign are told and left alone', (t) => {
	const host = createHost(t);
	attach(t, host, {}, { containerId: 'ours' });
	const directory = join(host.directory, host.network);
	mkdirSync(directory);
	const contents = {
		'9.0.1.2': 'theirs\r\neth0',
		'9.0.1.3': '',
		'9.0.1.4': 'torn\r\n',
		'9.0.1.5': 'ancient\r\neth0',
		'9.0.1.6': 'old-form\n',
		'9.0.1.7': 'several\r\neth0',
		'fd00::7': 'several\r\neth0',
		'9.0.1.8': 'several\r\neth1',
		notes: 'mine',
	};
	for (const [name, content] of Object.entries(contents)) writeFileSync(join(directory, name), content);
	utimesSync(join(directory, '9.0.1.5'), 1, 1);
	const { status, stdout, stderr } = leases(host, ['import', '--from', directory]);
	t.is(status, 1);
	t.deepEqual(stdout.trimEnd().split('\n').toSorted(), [
		'imported 9.0.1.6: container "old-form" (interface "eth0"), which is assumed',
		'imported 9.0.1.7: container "several" (interface "eth0")',
		'imported 9.0.1.8: container "several" (interface "eth1")',
		'imported fd00::7: container "several" (interface "eth0")',
	]);
	for (const line of [
		`left out "${directory}/9.0.1.5": container "ancient" (interface "eth0") is of an earlier boot`,
		`importing "${directory}/9.0.1.2" of container "theirs" (interface "eth0"): the address is leased to container "ours" (interface "eth0")`,
		`importing "${directory}/9.0.1.3": empty, host-local was killed while it wrote; it was left alone`,
		`importing "${directory}/9.0.1.4": not complete, or no file of host-local; it was left alone`,
		`importing "${directory}/notes": not a file of host-local; it was left alone`,
	]) {
		t.true(stderr.includes(`mesos-overlay: ${line}\n`), stderr);
	}
	for (const [name, content] of Object.entries(contents)) t.is(readFileSync(join(directory, name), 'utf8'), content);
	t.deepEqual(
		shown(host).map(({ address }) => address),
		['9.0.1.2', '9.0.1.6', '9.0.1.7', '9.0.1.8', 'fd00::7'],
	);
	silent(t, prepare(host, {}, { containerId: 'several' }).del());
	t.deepEqual(
		shown(host).map(({ address }) => address),
		['9.0.1.2', '9.0.1.6', '9.0.1.8'],
	);
	t.regex(leases(host, ['import', '--from', directory, '--all']).stdout, /^imported 9\.0\.1\.5: /m);
});

test('import waits for host-local, and for nothing that is not there', async (t) => {
	const host = createHost(t);
	const directory = join(host.directory, host.network);
	t.regex(leases(host, ['import', '--from', directory]).stderr, /opening ".*\/lock": ENOENT/);
	mkdirSync(directory);
	writeFileSync(join(directory, '9.0.1.2'), 'one\r\neth0');
	const lock = join(directory, 'lock');
	const holder = host.start(['flock', lock, 'sleep', '2']);
	eventually('the lock', () => existsSync(lock) && run(['flock', '-n', lock, 'true']).status === 1);
	const began = performance.now();
	t.is(leases(host, ['import', '--from', directory]).status, 0);
	t.true(performance.now() - began > 500);
	t.is((await holder).status, 0);
});

testOn(
	'reference-plugins',
	'export: host-local honours the files, and what has left is taken away by the next one',
	(t) => {
		const host = createHost(t);
		const { directory, ours, attachByReference } = referenceNetwork(host);
		const made = ['one', 'two'].map((containerId) => attach(t, host, ours, { containerId }));
		mkdirSync(directory, { recursive: true });
		writeFileSync(join(directory, '10.7.0.9'), 'theirs\r\neth0', { mode: 0o600 });
		const exported = leases(host, ['export', '--to', directory]);
		t.like(exported, { status: 0, stderr: '' });
		t.is(exported.stdout.match(/^exported 10\.7\.0\.[23]: /gm)?.length, 2);
		t.is(readFileSync(join(directory, '10.7.0.2'), 'utf8').trimEnd(), 'one\r\neth0');
		t.is(statSync(join(directory, '10.7.0.2')).mode & 0o777, 0o600);
		t.is(readFileSync(join(directory, 'last_reserved_ip.0'), 'utf8'), '10.7.0.3');
		t.deepEqual(readdirSync(directory).toSorted(), [
			'10.7.0.2',
			'10.7.0.3',
			'10.7.0.9',
			'last_reserved_ip.0',
			'lock',
		]);

		// host-local goes on behind the last address; from the start, it steps over what is exported
		const third = attachByReference(host.container(), 'third');
		t.is(third.add().json?.ips[0]?.address, '10.7.0.4/24');
		writeFileSync(join(directory, 'last_reserved_ip.0'), '10.7.0.254');
		t.is(attachByReference(host.container(), 'fourth').add().json?.ips[0]?.address, '10.7.0.5/24');
		t.regex(attachByReference(host.container(), 'one').add().stdout, /10\.7\.0\.2.*duplicate allocation/);

		silent(t, made[0]!.del());
		const again = leases(host, ['export', '--to', directory]);
		t.like(again, { status: 0, stderr: '' });
		t.regex(again.stdout, /^removed 10\.7\.0\.2: container "one" \(interface "eth0"\) has left$/m);
		t.regex(again.stdout, /^had exported 10\.7\.0\.3: /m);
		t.deepEqual(
			readdirSync(directory)
				.filter((name) => name.startsWith('10.'))
				.toSorted(),
			['10.7.0.3', '10.7.0.4', '10.7.0.5', '10.7.0.9'],
		);

		// host-local itself releases a file that was exported
		silent(t, attachByReference(made[1]!.container, 'two').del());
		t.false(existsSync(join(directory, '10.7.0.3')));
	},
);

test('export: what is in the way is told and left alone', (t) => {
	const host = createHost(t);
	for (const containerId of ['one', 'two', 'three']) attach(t, host, {}, { containerId });
	const directory = join(host.directory, host.network);
	mkdirSync(directory);
	writeFileSync(join(directory, '9.0.1.2'), 'theirs\r\neth0');
	writeFileSync(join(directory, '9.0.1.3'), '');
	const { status, stdout, stderr } = leases(host, ['export', '--to', directory]);
	t.is(status, 1);
	t.is(stdout, 'exported 9.0.1.4: container "three" (interface "eth0")\n');
	t.true(
		stderr.includes(`"${directory}/9.0.1.2" is of container "theirs" (interface "eth0"); it was left alone`),
		stderr,
	);
	t.true(stderr.includes(`"${directory}/9.0.1.3" is empty`), stderr);
	const other = leases(host, ['export', '--to', `${directory}-other`]);
	t.is(other.status, 1);
	t.regex(other.stderr, /there are no leases in ".*-other", set --network or --data-dir/);
	t.false(existsSync(`${directory}-other`));
});

test('an import that is killed again and again is completed by the next', async (t) => {
	const host = createHost(t);
	const directory = join(host.directory, host.network);
	const addresses = Array.from({ length: 2000 }, (_, at) => `10.7.${at >> 8}.${at & 255}`);
	mkdirSync(directory);
	for (const [at, address] of addresses.entries()) {
		writeFileSync(join(directory, address), `container${at >> 1}\r\neth${at & 1}`);
	}
	const entries = join(host.dataDir, host.network, 'addresses');
	const words = [executable, 'leases', 'import', '--move', '--from', directory, '--data-dir', host.dataDir];
	for (const enough of [1, 700, 1400]) {
		const kill = new AbortController();
		const imported = host.start(words, { until: kill.signal });
		while (!existsSync(entries) || readdirSync(entries).length < enough) await setTimeout(1);
		kill.abort();
		t.not((await imported).signal, null);
		const left = new Set(readdirSync(directory));
		const leased = new Set(shown(host).map(({ address }) => address));
		t.true(leased.size >= enough && leased.size < addresses.length);
		// an address is in one of the two places at every moment
		t.true(addresses.every((address) => leased.has(address) || left.has(address)));
	}
	t.like(leases(host, ['import', '--move', '--from', directory]), { status: 0, stderr: '' });
	t.deepEqual(
		shown(host).map(({ address }) => address),
		addresses,
	);
	t.deepEqual(readdirSync(directory), ['lock']);
});
