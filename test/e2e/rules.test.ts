// The rules of the host come back when somebody removed them, and go with what they belong to.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { refused, resultOf, silent } from '../helpers/assertions.ts';
import { attach, type Attached, prepare } from '../helpers/attach.ts';
import { executable, invoke } from '../helpers/cni.ts';
import { eventually, runOrThrow } from '../helpers/command.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { networkConfiguration } from '../helpers/network-configuration.ts';

const nft = '/usr/sbin/nft';
const dual = { family: 'dual stack' } as const;
const mapped = (...portMappings: readonly object[]) => ({ runtimeConfig: { portMappings } });
const web = { hostPort: 8080, containerPort: 80, protocol: 'tcp' };

/** A host with something in most sets. */
function furnished(t: ExecutionContext): { host: Host; attached: Attached; ruleset: () => string } {
	const host = createHost(t);
	attach(t, host, { ...mapped({ ...web, hostPort: 53, protocol: 'udp' }), ipMasq: true }, dual);
	const attached = attach(t, host, { ...mapped(web), ipMasq: true, isolation: 'container' }, dual);
	return { host, attached, ruleset: () => host.must([nft, 'list', 'ruleset']) };
}

function restore(host: Host) {
	return host.run([executable, 'restore', '--nat-dir', host.natDir]);
}

test('what was flushed is restored byte for byte', (t) => {
	const { host, attached, ruleset } = furnished(t);
	const before = ruleset();
	host.must([nft, 'flush', 'ruleset']);
	const { status, stdout, stderr } = restore(host);
	t.is(stderr, '');
	t.is(stdout, 'restored the rules of 1 network and 2 attachments\n');
	t.is(status, 0);
	t.is(ruleset(), before);
	silent(t, attached.check());
});

test('to restore what is whole changes nothing', (t) => {
	const { host, ruleset } = furnished(t);
	const before = ruleset();
	t.is(restore(host).status, 0);
	t.is(ruleset(), before);
});

test('CHECK sees that the rules were flushed, and the next ADD puts all of them back', (t) => {
	const { host, attached, ruleset } = furnished(t);
	const before = ruleset();
	host.must([nft, 'flush', 'ruleset']);
	refused(
		t,
		attached.check(),
		105,
		'the rules of table inet mesos_overlay are not those that were laid out',
		'tcp . 8080 in set "host_ports4" is missing',
		'isolated6" is missing',
	);
	const next = attach(t, host, { ipMasq: true, isolation: 'container' }, dual);
	silent(t, next.del());
	t.is(ruleset(), before);
	silent(t, attached.check());
});

test('CHECK sees that somebody edited the table, and what of it', (t) => {
	const { host, attached } = furnished(t);
	host.must([nft, 'delete', 'element', 'inet', 'mesos_overlay', 'host_ports4', '{ tcp . 8080 }']);
	refused(t, attached.check(), 105, ': tcp . 8080 in set "host_ports4" is missing');
	t.is(restore(host).status, 0);
	host.must([nft, 'insert', 'rule', 'inet', 'mesos_overlay', 'forward', 'accept']);
	refused(t, attached.check(), 105, ': the rules of table inet mesos_overlay are not those that were laid out');
	t.is(restore(host).status, 0);
	silent(t, attached.check());
});

test('tables of others stay', (t) => {
	const { host, ruleset } = furnished(t);
	host.must([nft, 'table inet other { chain c { drop; }; }']);
	t.is(restore(host).status, 0);
	t.true(ruleset().includes('table inet other {\n\tchain c {\n\t\tdrop\n'));
});

test('DEL needs no configuration of ports to take them away', (t) => {
	const { host, attached, ruleset } = furnished(t);
	const { runtimeConfig: _, ...bare } = attached.configuration;
	silent(t, attached.del({ configuration: bare, netns: '' }));
	t.false(ruleset().includes('8080'));
	t.true(ruleset().includes('udp . 53'));
	t.is(readdirSync(join(host.natDir, 'attachments')).length, 1);
});

test('a port that somebody gave away by hand is refused, and where to look is said', (t) => {
	const { host, ruleset } = furnished(t);
	host.must([nft, 'add element inet mesos_overlay host_ports4 { tcp . 9090 : 9.0.1.9 . 80 }']);
	const before = ruleset();
	const { add } = prepare(host, { ...mapped({ ...web, hostPort: 9090 }), ipMasq: true, isolation: 'container' });
	const why = 'it is held already, by what nobody recorded, see "nft list table inet mesos_overlay"';
	refused(t, add(), 108, `mapping port 9090/tcp of the host: ${why}`);
	t.is(ruleset(), before);
	t.is(restore(host).status, 0);
	resultOf(t, add());
});

test("a table of ours that is somebody else's is replaced by the first ADD", (t) => {
	const host = createHost(t);
	host.must([nft, 'table inet mesos_overlay { set host_ports4 { type mark; }; chain forward { drop; }; }']);
	const { check } = attach(t, host, mapped(web));
	silent(t, check());
});

test('DEL removes half a record, as a kill leaves it', (t) => {
	const { host, attached, ruleset } = furnished(t);
	silent(t, attached.del());
	const before = ruleset();
	const path = join(host.natDir, 'attachments', `${attached.containerId}@eth0`);
	writeFileSync(path, '{"containerId":"');
	silent(t, attached.del());
	t.false(existsSync(path));
	t.is(ruleset(), before);
});

test('DEL leaves what somebody put in the place of ours', (t) => {
	const { host, attached, ruleset } = furnished(t);
	const element = (what: string) => host.must([nft, what]);
	element('delete element inet mesos_overlay host_ports4 { tcp . 8080 }');
	element('add element inet mesos_overlay host_ports4 { tcp . 8080 comment "another" : 9.0.1.9 . 80 }');
	silent(t, attached.del());
	t.true(ruleset().includes('tcp . 8080 comment "another" : 9.0.1.9 . 80'));
});

test('GC takes away the rules of what is not valid', (t) => {
	const { host, attached, ruleset } = furnished(t);
	const configuration = {
		...networkConfiguration(host, {}, 'dual stack'),
		'cni.dev/valid-attachments': [{ containerID: attached.containerId, ifname: 'eth0' }],
	};
	const answer = invoke(host, { command: 'GC', configuration });
	silent(t, answer);
	t.true(answer.stderr.includes('GC: removed the rules of container "'), answer.stderr);
	t.false(ruleset().includes('udp . 53'));
	t.true(ruleset().includes('tcp . 8080'));
	silent(t, attached.check());
});

test('a port whose holder is dead is given to who asks for it', (t) => {
	const host = createHost(t);
	const dead = attach(t, host, mapped(web));
	runOrThrow(['ip', 'netns', 'del', dead.container.name]);
	eventually('the interface to go with its namespace', () => dead.port() === undefined);
	refused(t, prepare(host, mapped(web)).add(), 108, dead.containerId);
	const path = join(host.natDir, 'attachments', `${dead.containerId}@eth0`);
	const record = readFileSync(path, 'utf8');
	writeFileSync(path, record.replace(/"time":\d+/u, `"time":${Date.now() - 120_000}`));
	const answer = prepare(host, mapped(web)).add();
	resultOf(t, answer);
	const note = `freed port 8080/tcp of the host: its holder, container "${dead.containerId}" (interface "eth0"), is dead`;
	t.true(answer.stderr.includes(note), answer.stderr);
});

test('an address of the wrong family cannot be mapped to', (t) => {
	const host = createHost(t);
	const before = host.snapshot();
	refused(
		t,
		prepare(host, mapped({ ...web, hostIP: '2001:db8::1' })).add(),
		7,
		'mapping port 8080/tcp of the host at 2001:db8::1: the container has no IPv6 address',
	);
	t.deepEqual(host.snapshot(), before);
});
