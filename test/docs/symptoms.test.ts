// docs/troubleshooting.md on networks across hosts: each thing that is said there is brought about, in the words of the page.
import { writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { createAuthority, issue } from '../helpers/certificates.ts';
import { createCluster } from '../helpers/cluster.ts';
import { type AgentHost, startCluster } from '../helpers/cluster-hosts.ts';
import { type Daemon, startDaemon } from '../helpers/cluster-process.ts';
import { executable } from '../helpers/cni.ts';
import { createPlace, documentExample, failingMaster, masterCommand } from '../helpers/master.ts';
import { supports, testOn } from '../helpers/requirements.ts';
import { codeSpans, readPage, tableRows } from './markdown.ts';

const needs = ['vxlan', 'ipv6', 'openssl'] as const;
/** Milliseconds. */
const PATIENCE = 20_000;

const documented = tableRows(readPage('docs/troubleshooting.md'), 'Said').map(([cell]) => codeSpans(cell)[0] ?? '');
const unsaid = new Set(documented);

/** Holds what was said against the page. */
function said(t: ExecutionContext, message: unknown): void {
	const found = documented.find((quote) => patternOf(quote).test(String(message)));
	t.truthy(found, `not on the page: ${String(message)}`);
	unsaid.delete(found ?? '');
}

/** `…` stands for what differs. */
function patternOf(quote: string): RegExp {
	return new RegExp(`^${quote.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.+')}$`);
}

async function hostsOf(t: ExecutionContext, count: number, members?: object) {
	const cluster = await startCluster(t, { size: count, ...(members !== undefined && { members }) });
	const [host] = cluster.hosts;
	if (host === undefined) throw new Error('expected a host');
	return { cluster, host, last: cluster.hosts.at(-1) ?? host };
}

/** Ends the agent of a host, changes something, and starts it again. */
async function restart(host: AgentHost, change: readonly string[], ...options: readonly string[]): Promise<Daemon> {
	await host.agent().end();
	host.must(change);
	return host.startAgent(...options);
}

const failing = async (agent: Daemon) => (await agent.event('network failing', 0, PATIENCE))['error'];
const refused = async (agent: Daemon) => (await agent.event('master refuses', 0, PATIENCE))['error'];
const away = async (agent: Daemon) => (await agent.event('master away', 0, PATIENCE))['error'];

testOn(needs, 'what is wrong on the host', async (t) => {
	const { host } = await hostsOf(t, 2);
	const from = host.agent().log.length;
	host.must(['ip', 'route', 'del', '9.0.0.64/26']);
	const isRoute = (cause: string) => cause.startsWith('route');
	let causes: readonly string[] = [];
	for (let at = from; !causes.some(isRoute); at++) {
		causes = (await host.agent().event('repaired', at, PATIENCE))['causes'] as string[];
	}
	said(t, causes.find(isRoute));

	const conf = `${host.place.cni}/dcos.conf`;
	said(t, await failing(await restart(host, ['sh', '-c', 'rm "$0" && echo "{}" > "$0"', conf])));
	const asBridge = ['sh', '-c', 'rm "$0"; ip link del vtep1024; ip link add vtep1024 type bridge', conf];
	said(t, await failing(await restart(host, asBridge)));
	const elsewhere =
		'ip link del vtep1024; ip address del 10.64.0.1/16 dev eth0; ip address add 10.64.0.9/16 dev eth0';
	said(t, await failing(await restart(host, ['sh', '-c', elsewhere])));
});

testOn(needs, 'no subnet, no VTEP', async (t) => {
	const overlays = [{ name: 'dcos', subnet: '9.0.0.0/25', prefix: 26 }];
	const { cluster, last } = await hostsOf(t, 3, { ...documentExample, overlays });
	said(t, (await last.agent().event('short'))['error']);
	said(t, (await cluster.master().event('agent short'))['message']);
	const shown = (await cluster.state()).agents.find(({ ip }) => ip === last.ip);
	said(t, shown?.overlays[0]?.state.error);

	const few = await hostsOf(t, 3, { ...documentExample, vtep_subnet: '44.128.0.0/30' });
	said(t, await refused(few.last.agent()));
});

testOn(needs, 'a changed file', async (t) => {
	const { cluster, host } = await hostsOf(t, 2, documentExample);
	await cluster.master().end();
	const overlays = [{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 24 }, documentExample.overlays[1]];
	cluster.place.configure({ ...documentExample, vtep_subnet: '44.129.0.0/20', overlays });
	const [status, lines] = await failingMaster(cluster.place);
	t.is(status, 78);
	for (const line of lines.filter((text) => !/^mesos-overlay: {3}/.test(text))) {
		said(t, line.replace('mesos-overlay: ', ''));
	}
	host.must(['ip', 'address', 'add', '9.9.0.1/16', 'dev', 'eth0']);
	const check = host.run([executable, 'config', 'check', cluster.place.configuration]);
	said(t, check.stderr.trim().replace('mesos-overlay: ', ''));
});

testOn(needs, 'an agent with a wrong token, with an address that is taken, without a master', async (t) => {
	const { cluster, host, last } = await hostsOf(t, 2);
	const claimant = ['--state-dir', `${last.directory}/other`, '--listen', '127.0.0.1:0'];
	const second = startDaemon(t, last, host.command(...claimant));
	said(t, await refused(second));
	await second.end();

	const token = `${host.directory}/token`;
	const writeToken = (text: string) => ['sh', '-c', 'echo "$1" > "$0"', token, text];
	said(t, await refused(await restart(host, writeToken('a-token-of-agent-2-for-tests'))));
	said(t, await refused(await restart(host, writeToken('a-token-that-nobody-knows'))));
	await cluster.master().end();
	const expired = `${host.ip} a-token-of-agent-1-for-tests 2020-01-01T00:00:00Z\n`;
	writeFileSync(`${cluster.place.directory}/agents`, expired, { mode: 0o600 });
	await cluster.startMaster();
	said(t, await refused(await restart(host, writeToken('a-token-of-agent-1-for-tests'))));

	await cluster.master().end();
	said(t, await away(await restart(host, ['true'])));
	host.cut();
	said(t, await away(await restart(host, ['true'])));
});

testOn(needs, 'certificates that have expired, or are for another name', async (t) => {
	const [host] = createCluster(t, 1).hosts;
	if (host === undefined) throw new Error('expected a host');
	const { directory, configuration } = createPlace(t);
	const authority = createAuthority(directory, 'authority');
	const make = (name: string, ip: string, isExpired: boolean) =>
		issue(directory, authority, name, { names: `IP:${ip}`, isExpired });
	const [server, oldServer] = [make('master', '127.0.0.1', false), make('old-master', '127.0.0.1', true)];
	const [own, oldOwn] = [make('agent', host.ip, false), make('old-agent', host.ip, true)];
	for (const { key } of [server, oldServer, own, oldOwn]) host.must(['chmod', '600', key]);
	const withTls = ({ certificate, key }: typeof server) => ['--tls-certificate', certificate, '--tls-key', key];
	for (const [port, certificate] of [
		[6001, server],
		[6002, oldServer],
	] as const) {
		const place = { directory, configuration, state: `${directory}/${port}.db`, configure: () => {} };
		const options = ['--listen', `127.0.0.1:${port}`, '--agent-ca', authority.certificate, ...withTls(certificate)];
		await startDaemon(t, host, masterCommand(place, ...options)).event('master started');
	}
	const run = async (url: string, certificate: typeof server, outcome: (agent: Daemon) => Promise<unknown>) => {
		const who = ['--ip', host.ip, '--master', url, '--tls-ca', authority.certificate, ...withTls(certificate)];
		const where = [
			'--cni-dir',
			`${directory}/cni`,
			'--state-dir',
			`${directory}/state`,
			'--run-dir',
			host.directory,
		];
		const agent = startDaemon(t, host, [executable, 'agent', ...who, ...where, '--docker', 'none']);
		said(t, await outcome(agent));
		await agent.end();
	};
	await run('https://127.0.0.1:6001', oldOwn, refused);
	await run('https://127.0.0.1:6002', own, away);
	await run('https://localhost:6001', own, away);
});

(needs.every((need) => supports(need)) ? test.serial : test.skip)('nothing on the page was left out', (t) => {
	t.true(documented.length > 15);
	t.deepEqual([...unsaid], []);
});
