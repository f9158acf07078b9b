// The rules of hosts without nf_tables: they come back when somebody removed them, and cost one program a call.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { ask, serve } from '../helpers/answering.ts';
import { refused, resultOf, silent } from '../helpers/assertions.ts';
import { attach, prepare } from '../helpers/attach.ts';
import { allRules, hostWithIptables, removeRules } from '../helpers/backends.ts';
import { type Attachment, executable } from '../helpers/cni.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { type Variant, variants } from '../helpers/iptables.ts';
import { outside, uplink } from '../helpers/outside.ts';
import { testOn } from '../helpers/requirements.ts';

const dual = { family: 'dual stack' } as const;
const mapped = (...portMappings: readonly object[]) => ({ runtimeConfig: { portMappings } });
const web = { hostPort: 8080, containerPort: 80, protocol: 'tcp' };
const keys = { ipMasq: true, isolation: 'container' };

/** A host with something in most chains. */
function furnished(t: ExecutionContext, variant: Variant) {
	const host = hostWithIptables(t, variant);
	attach(t, host, { ...keys, ...mapped({ ...web, hostPort: 53, protocol: 'udp' }) }, dual);
	const attached = attach(t, host, { ...keys, ...mapped(web) }, dual);
	return { host, attached, before: allRules(host) };
}

function restore(host: Host) {
	return host.run([executable, 'restore', '--nat-dir', host.natDir]);
}

/** The programs of iptables that a call starts. */
function programsOf(host: Host, attachment: Attachment, command: 'add' | 'del'): string[] {
	const path = join(host.directory, 'trace');
	const answer = attachment[command]({ by: ['strace', '-f', '-e', 'trace=execve', '-o', path] });
	if (answer.status !== 0) throw new Error(answer.stdout);
	const started = readFileSync(path, 'utf8').matchAll(/execve\("[^"]*\/([^"/]*tables[^"/]*)".* = 0$/gmu);
	return [...started].map(([, name = '']) => name);
}

for (const variant of variants) {
	const needs = `iptables-${variant}` as const;

	testOn([needs, 'strace'], `${variant}: a call starts one program for each family that it changes`, (t) => {
		const { host, before } = furnished(t, variant);
		for (const [family, programs] of [
			['IPv4', ['iptables-restore']],
			['dual stack', ['iptables-restore', 'ip6tables-restore']],
		] as const) {
			const call = prepare(host, { ...keys, ...mapped({ ...web, hostPort: 81 }) }, { family });
			t.deepEqual(programsOf(host, call, 'add'), programs);
			t.deepEqual(programsOf(host, call, 'del'), programs);
			t.is(allRules(host), before);
		}
	});

	testOn(
		[needs, 'strace'],
		`${variant}: a container without rules of its own looks whether the others are there`,
		(t) => {
			const host = hostWithIptables(t, variant);
			attach(t, host, { ipMasq: true });
			const before = allRules(host);
			const plain = prepare(host, { ipMasq: true });
			t.deepEqual(programsOf(host, plain, 'add'), ['iptables-restore']);
			t.deepEqual(programsOf(host, plain, 'del'), []);
			t.is(allRules(host), before);
			removeRules(host);
			resultOf(t, plain.add());
			t.is(allRules(host), before);
		},
	);

	testOn(needs, `${variant}: what was flushed is restored byte for byte`, (t) => {
		const { host, attached, before } = furnished(t, variant);
		for (const flush of [removeRules, (at: Host) => at.must(['iptables', '-t', 'nat', '-F', 'PREROUTING'])]) {
			flush(host);
			t.not(allRules(host), before);
			const { status, stdout, stderr } = restore(host);
			t.deepEqual([status, stdout, stderr], [0, 'restored the rules of 1 network and 2 attachments\n', '']);
			t.is(allRules(host), before);
			silent(t, attached.check());
		}
		t.is(restore(host).status, 0);
		t.is(allRules(host), before, 'what is whole stays');
	});

	testOn(needs, `${variant}: CHECK sees that the rules were flushed, and the next ADD puts all of them back`, (t) => {
		const { host, attached, before } = furnished(t, variant);
		removeRules(host);
		refused(
			t,
			attached.check(),
			105,
			'rule "-A PREROUTING -j MESOS-OVERLAY-PORTS" in table nat of iptables is missing',
			'--dports 8080 -j DNAT --to-destination 9.0.1.3:80" in table nat of iptables is missing',
			'-j DROP" in table mangle of ip6tables is missing',
		);
		const next = attach(t, host, keys, dual);
		silent(t, next.del());
		t.is(allRules(host), before);
		silent(t, attached.check());
	});

	testOn(needs, `${variant}: CHECK sees what somebody added, and the next change takes it away`, (t) => {
		const { host, attached, before } = furnished(t, variant);
		host.must(['iptables', '-t', 'nat', '-I', 'MESOS-OVERLAY-PORTS', '-j', 'RETURN']);
		refused(
			t,
			attached.check(),
			105,
			'rule "-A MESOS-OVERLAY-PORTS -j RETURN" in table nat of iptables is not of the records',
		);
		silent(t, attach(t, host, { ...keys, ...mapped({ ...web, hostPort: 81 }) }, dual).del());
		t.is(allRules(host), before);
	});

	testOn(needs, `${variant}: rules of others stay where they are`, (t) => {
		const host = hostWithIptables(t, variant);
		const others = [
			['iptables', '-t', 'nat', '-A', 'PREROUTING', '-p', 'tcp', '--dport', '9', '-j', 'REDIRECT'],
			['iptables', '-t', 'nat', '-N', 'OTHERS'],
			['iptables', '-t', 'mangle', '-A', 'FORWARD', '-j', 'MARK', '--set-mark', '1'],
			['ip6tables', '-t', 'filter', '-A', 'FORWARD', '-j', 'ACCEPT'],
		];
		for (const words of others) host.must(words);
		const before = allRules(host).split('\n');
		attach(t, host, keys, dual);
		const attached = allRules(host);
		t.deepEqual(
			before.filter((line) => !attached.includes(line)),
			[],
		);
		silent(t, attach(t, host, { ...keys, ...mapped(web) }, dual).del());
		t.is(restore(host).status, 0);
		t.is(allRules(host), attached);
	});

	testOn(needs, `${variant}: DEL needs no configuration of ports to take them away`, (t) => {
		const { host, attached } = furnished(t, variant);
		const { runtimeConfig: _, natBackend: __, ...bare } = attached.configuration;
		silent(t, attached.del({ configuration: bare, netns: '' }));
		const rules = allRules(host);
		t.false(rules.includes('8080'));
		t.true(rules.includes('dport'), rules);
	});

	testOn([needs, 'strace'], `${variant}: where the kernel refuses nf_tables, iptables is taken`, async (t) => {
		const other = hostWithIptables(t, variant);
		const { natBackend: _, ...host } = other;
		const machine = outside(t, host);
		// What is refused is a socket by its number among all of a call, which is therefore looked for first.
		const path = join(host.directory, 'sockets');
		const first = prepare(host, mapped(web));
		resultOf(t, first.add({ by: ['strace', '-e', 'trace=socket', '-o', path] }));
		silent(t, first.del());
		host.must(['sh', '-c', `rm -r ${host.natDir} && /usr/sbin/nft flush ruleset`]);
		const sockets = readFileSync(path, 'utf8').match(/^socket\(.*$/gmu) ?? [];
		const which = sockets.findIndex((line) => line.includes('NETLINK_NETFILTER')) + 1;

		const container = host.container();
		const call = prepare(host, mapped(web), { container });
		const refusing = `inject=socket:error=EPROTONOSUPPORT:when=${which}`;
		resultOf(t, call.add({ by: ['strace', '-e', 'trace=socket', '-e', refusing, '-o', path] }));
		t.regex(readFileSync(path, 'utf8'), /NETLINK_NETFILTER\) += -1 EPROTONOSUPPORT .*INJECTED/u);
		t.true(allRules(other).includes('--dports 8080'));
		await serve(t, container, 'web', [80]);
		const [answer] = await ask(machine, [{ protocol: 'tcp', address: uplink[4].host, port: 8080 }]);
		t.is(answer?.name, 'web');
		silent(t, call.del());
		t.false(allRules(other).includes('8080'));
	});

	testOn(needs, `${variant}: two ways on one host are refused, whichever was first`, (t) => {
		const iptables = hostWithIptables(t, variant);
		const { natBackend: _, ...nftables } = iptables;
		const first = attach(t, iptables, { ...keys, ...mapped(web) }, { containerId: 'first' });
		const other = { natBackend: 'nftables', name: 'other', bridge: 'm-other', ...mapped({ ...web, hostPort: 81 }) };
		const before = allRules(iptables);
		refused(
			t,
			prepare(nftables, other).add(),
			7,
			'reading natBackend of network "other": "nftables" cannot be had beside "iptables", which container "first"',
		);
		t.is(allRules(iptables), before);
		silent(t, first.del());
		attach(t, nftables, other, { containerId: 'second' });
		refused(
			t,
			prepare(iptables, { ...keys, ...mapped(web) }).add(),
			7,
			'"iptables" cannot be had beside "nftables", which container "second" of network "other" has',
		);
	});

	testOn(needs, `${variant}: what takes nf_tables is refused, and nothing is left`, (t) => {
		const host = hostWithIptables(t, variant);
		attach(t, host, keys);
		const before = [host.snapshot(), allRules(host)];
		refused(t, prepare(host, { ...keys, spoofCheck: true }).add(), 7, 'reading spoofCheck: it takes nf_tables');
		refused(t, prepare(host, { ...keys, macspoofchk: true }).add(), 7, 'reading macspoofchk: it takes nf_tables');
		t.deepEqual([host.snapshot(), allRules(host)], before);
	});
}

testOn('tmpfs', 'a host without iptables is told what to install', (t) => {
	const host = { ...createHost(t), natBackend: 'iptables' };
	const before = host.snapshot();
	const without = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /usr/sbin && exec "$0" "$@"'];
	refused(
		t,
		prepare(host, { ...keys, ...mapped(web) }).add({ by: without }),
		100,
		'running iptables-save: it is not in /usr/sbin:/sbin:/usr/bin:/bin; install iptables, or set natBackend to "nftables"',
	);
	t.deepEqual({ ...host.snapshot(), records: {} }, { ...before, records: {} });
});
