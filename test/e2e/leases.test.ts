// An operator looks at leases, and releases them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { silent } from '../helpers/assertions.ts';
import { attach } from '../helpers/attach.ts';
import { executable } from '../helpers/cni.ts';
import { eventually, type Outcome, run } from '../helpers/command.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { leases, type Shown, shown } from '../helpers/leases.ts';
import { roomForOne } from '../helpers/network-configuration.ts';
import { testOn, widestFamily } from '../helpers/requirements.ts';

test('a table and JSON of all networks, with who lives and who does not', (t) => {
	const host = createHost(t);
	const [one, two] = [attach(t, host, {}, { containerId: 'one' }), attach(t, host, {}, { containerId: 'two.child' })];
	attach(
		t,
		host,
		{ name: `${host.network}b`, ipam: { agentSubnet: '9.0.2.0/26' } },
		{ containerId: 'three', ifname: 'net1' },
	);
	run(['ip', 'netns', 'del', two.container.name]);

	const { status, stdout, stderr } = leases(host, []);
	t.is(status, 0, stderr);
	t.is(stderr, '');
	const network = host.network;
	const [headings = '', ...lines] = stdout.trimEnd().split('\n');
	const starts = [...headings.matchAll(/\w+/g)].map(({ index }) => index);
	const cells = (line: string) => starts.map((start, column) => line.slice(start, starts[column + 1]).trim());
	t.deepEqual(cells(headings), ['NETWORK', 'ADDRESS', 'CONTAINER', 'INTERFACE', 'AGE', 'NAMESPACE', 'BOOT']);
	t.deepEqual(
		lines.map((line) => cells(line).with(4, cells(line)[4]!.replace(/^\d+s$/, 'seconds'))),
		[
			[network, '9.0.1.2', 'one', 'eth0', 'seconds', 'alive', 'this'],
			[network, '9.0.1.3', 'two.child', 'eth0', 'seconds', 'gone', 'this'],
			[`${network}b`, '9.0.2.2', 'three', 'net1', 'seconds', 'alive', 'this'],
		],
	);

	const [first] = JSON.parse(leases(host, ['list', '--network', network, '--json']).stdout) as Record<
		string,
		unknown
	>[];
	const { since, ageSeconds, ...rest } = first!;
	t.deepEqual(rest, {
		network,
		address: '9.0.1.2',
		containerId: 'one',
		interface: 'eth0',
		netns: one.container.path,
		namespace: 'alive',
		boot: 'this',
		quarantineSeconds: 0,
	});
	t.true(Math.abs(Date.now() - Date.parse(String(since))) < 60_000);
	t.true(Number(ageSeconds) < 60);
	t.is(shown(host).length, 3);
});

test('no leases: nothing on stdout but an empty array', (t) => {
	const host = createHost(t);
	mkdirSync(host.dataDir);
	t.like(leases(host, []), { status: 0, stdout: '', stderr: 'mesos-overlay: no leases\n' });
	t.like(leases(host, ['--json']), { status: 0, stdout: '[]\n', stderr: '' });
	t.like(host.run([executable, 'leases', '--network', host.network]), { status: 0, stdout: '' });
	const missing = leases(host, [], `${host.dataDir}/missing`);
	t.is(missing.status, 1);
	t.regex(missing.stderr, /^mesos-overlay: listing ".*\/missing": ENOENT\n$/);
});

test('what is no lease is named, and the rest is shown', (t) => {
	const host = createHost(t);
	attach(t, host, {}, { containerId: 'one' });
	const addresses = join(host.dataDir, host.network, 'addresses');
	writeFileSync(join(addresses, '9.0.1.9'), '');
	writeFileSync(join(addresses, 'notes'), 'mine');
	writeFileSync(join(host.dataDir, 'README'), '');
	const { status, stdout, stderr } = leases(host, []);
	t.is(status, 1);
	t.regex(stdout, /one/);
	for (const path of [join(addresses, '9.0.1.9'), join(addresses, 'notes'), join(host.dataDir, 'README')]) {
		t.true(stderr.includes(`reading "${path}": `), stderr);
	}
});

test('a container that lives is released only with --yes, a dead one at once', (t) => {
	const host = createHost(t);
	attach(t, host, {}, { containerId: 'one' });
	const two = attach(t, host, {}, { containerId: 'two' });
	const before = host.snapshot().leases;
	const asked = leases(host, ['release', '9.0.1.2']);
	t.is(asked.status, 1);
	t.is(asked.stdout, '');
	t.regex(
		asked.stderr,
		/releasing 9\.0\.1\.2 of container "one" .*: the container lives; --yes releases it all the same/,
	);
	t.deepEqual(host.snapshot().leases, before);

	const released = leases(host, ['release', '9.0.1.2', '--yes']);
	t.is(released.status, 0, released.stderr);
	t.is(released.stdout, `released 9.0.1.2 of container "one" (interface "eth0") in network "${host.network}"\n`);

	run(['ip', 'netns', 'del', two.container.name]);
	// the kernel takes a namespace apart when it finds the time
	eventually('the end of the port', () => two.port() === undefined);
	t.like(leases(host, ['release', 'two']), { status: 0, stderr: '' });
	t.deepEqual(host.snapshot().leases, {});

	const nothing = leases(host, ['release', 'two', '-y']);
	t.is(nothing.status, 1);
	t.regex(nothing.stderr, /releasing "two": no address or container of that name is leased/);
});

test('a container is released with all its interfaces and families, an address in one network only', (t) => {
	const host = createHost(t);
	const container = host.container();
	const options = { container, containerId: 'one' } as const;
	attach(t, host, {}, options);
	attach(t, host, { ipam: { agentSubnet: '9.0.1.0/26' } }, { ...options, ifname: 'eth1' });
	attach(t, host, { name: `${host.network}b`, ipam: { agentSubnet: '9.0.1.0/26' } }, { containerId: 'other' });
	const ambiguous = leases(host, ['release', '9.0.1.2', '--yes']);
	t.is(ambiguous.status, 1);
	t.regex(ambiguous.stderr, /it is leased in ".*" and ".*b", set --network/);
	t.is(leases(host, ['release', '9.0.1.2', '--yes', '--network', `${host.network}b`]).stdout.split('\n').length, 2);
	const released = leases(host, ['release', 'one', '--yes']);
	t.is(released.stdout.match(/^released /gm)?.length, 2, released.stderr);
	t.deepEqual(shown(host), []);
});

/** At a terminal, somebody types an answer. */
function atTerminal(host: Host, answer: string, words: readonly string[]): Outcome {
	const line = [executable, 'leases', ...words, '--data-dir', host.dataDir].join(' ');
	return host.run(['sh', '-c', `(sleep 0.5; echo ${answer}) | script -qec '${line}' /dev/null`]);
}

test('at a terminal it asks', (t) => {
	const host = createHost(t);
	attach(t, host, {}, { containerId: 'one' });
	const no = atTerminal(host, 'n', ['release', 'one']);
	t.is(no.status, 1, no.stdout);
	t.regex(no.stdout, /the container lives; release 9\.0\.1\.2 of container "one".* all the same\? \[y\/N\]/);
	t.regex(no.stdout, /nothing was released/);
	t.is(shown(host).length, 1);
	const yes = atTerminal(host, 'y', ['release', 'one']);
	t.is(yes.status, 0, yes.stdout);
	t.deepEqual(shown(host), []);
});

const quarantined = { ipam: { quarantine: 90 } };

testOn('time-namespaces', 'an address in quarantine is shown with its last holder until it is over', (t) => {
	const host = createHost(t);
	attach(t, host, quarantined, { containerId: 'one' });
	silent(t, attach(t, host, quarantined, { containerId: 'two' }).del());
	const before = host.snapshot().leases;

	const { status, stdout, stderr } = leases(host, []);
	t.is(status, 0, stderr);
	const [, one = '', two = ''] = stdout.split('\n');
	t.regex(one, /\b9\.0\.1\.2 +one .* alive +this$/);
	t.regex(two, /\b9\.0\.1\.3 +two .* quarantine 1m \d+s +this$/);
	const [held, left] = shown(host);
	t.like(held, { containerId: 'one', quarantineSeconds: 0 });
	t.like(left, { containerId: 'two', namespace: 'alive' });
	t.true(left!.quarantineSeconds > 60 && left!.quarantineSeconds <= 91);
	t.deepEqual(host.snapshot().leases, before);

	const later = ['unshare', '--fork', '--time', '--boottime', '92'];
	const { stdout: json } = host.run([...later, executable, 'leases', '--data-dir', host.dataDir, '--json']);
	t.deepEqual(
		(JSON.parse(json) as Shown[]).map(({ containerId }) => containerId),
		['one'],
	);
});

test('the quarantine of an address is ended without a question, and its next holder is left alone', (t) => {
	const host = createHost(t);
	const full = { ipam: { ...roomForOne, ...quarantined.ipam } };
	silent(t, attach(t, host, full, { containerId: 'one', family: widestFamily() }).del());
	const others = shown(host).length - 1;
	t.like(leases(host, ['release', '9.0.1.2']), {
		status: 0,
		stdout: `ended the quarantine of 9.0.1.2, which container "one" (interface "eth0") had in network "${host.network}"\n`,
		stderr: '',
	});
	t.is(shown(host).length, others);
	const again = leases(host, ['release', '9.0.1.2']);
	t.is(again.status, 1);
	t.regex(again.stderr, /releasing "9\.0\.1\.2": no address or container of that name is leased/);

	attach(t, host, full, { containerId: 'two' });
	t.is(leases(host, ['release', '9.0.1.2']).status, 1);
	t.true(shown(host).some(({ address, quarantineSeconds }) => address === '9.0.1.2' && quarantineSeconds === 0));
});

test('of a container, what it holds is released first, and what it has left in quarantine the next time', (t) => {
	const host = createHost(t);
	const container = host.container();
	const options = { container, containerId: 'one' } as const;
	silent(t, attach(t, host, quarantined, { ...options, ifname: 'eth1' }).del());
	attach(t, host, quarantined, options);
	const seconds = () => shown(host).map(({ quarantineSeconds }) => quarantineSeconds);
	const release = () => leases(host, ['release', 'one', '--yes']).stdout.match(/^\w+/gm);

	t.deepEqual(release(), ['released']);
	t.is(seconds().length, 2);
	t.true(seconds().every((left) => left > 0));
	t.deepEqual(release(), ['ended', 'ended']);
	t.deepEqual(host.snapshot().leases, {});
});

test('an address in quarantine in one network and held in another is released in one that is named', (t) => {
	const host = createHost(t);
	silent(t, attach(t, host, quarantined, { containerId: 'one' }).del());
	const other = `${host.network}b`;
	attach(t, host, { name: other, ipam: { agentSubnet: '9.0.1.0/26' } }, { containerId: 'two' });
	const ambiguous = leases(host, ['release', '9.0.1.2', '--yes']);
	t.regex(ambiguous.stderr, /it is leased in ".*" and ".*b", set --network/);
	t.regex(leases(host, ['release', '9.0.1.2', '--network', host.network]).stdout, /^ended /);
	t.deepEqual(
		shown(host).map(({ containerId }) => containerId),
		['two'],
	);
});
