// The units of both daemons under systemd as the first process, installed as docs/operations.md says.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { ExecutionContext } from 'ava';
import type { DocumentAgent } from '../../src/overlay/document-shape.ts';
import { codeBlocks, projectDirectory, readPage } from '../docs/markdown.ts';
import { resultOf } from '../helpers/assertions.ts';
import { createAuthority, issue } from '../helpers/certificates.ts';
import { type Attachment, attachment, executable } from '../helpers/cni.ts';
import { type ClusterHost, createCluster } from '../helpers/cluster.ts';
import { until } from '../helpers/cluster-process.ts';
import { documentExample } from '../helpers/master.ts';
import type { Namespace } from '../helpers/namespace.ts';
import type { Configuration } from '../helpers/network-configuration.ts';
import { testOn } from '../helpers/requirements.ts';
import { bootSystemd, type SystemdMachine } from '../helpers/systemd-machine.ts';

const MASTER = 'mesos-overlay-master';
const AGENT = 'mesos-overlay-agent';
/** As in the examples of the page. */
const ADDRESSES = { master: '10.0.0.1', agent: '10.0.0.7' };
const OPERATOR = 'an-operator-token-for-tests';
const INSTALLED = '/usr/local/bin/mesos-overlay';
const CNI_DIRECTORY = '/opt/mesosphere/etc/dcos/network/cni';
const AGENT_FILE = '/run/mesos-overlay/agent.json';
const NEEDS = ['systemd', 'vxlan', 'openssl'] as const;

interface Seat extends SystemdMachine {
	/** Runs the commands of the page that install a daemon. */
	install(daemon: 'master' | 'agent'): string;
	/** What the master shows of its agents. */
	agents(): readonly DocumentAgent[];
	launch(): Launched;
}

interface Launched extends Attachment {
	readonly namespace: Namespace;
	readonly gateway: string;
}

/** Boots a machine with what the commands of the page expect in the current directory. */
async function boot(t: ExecutionContext): Promise<Seat> {
	const [host] = createCluster(t, 1).hosts;
	if (host === undefined) throw new Error('expected a host');
	for (const address of Object.values(ADDRESSES)) host.must(['ip', 'address', 'add', `${address}/24`, 'dev', 'eth0']);
	const machine = await bootSystemd(t, host);
	const directory = mkdtempSync(`${tmpdir()}/mesos-overlay-`);
	t.teardown(() => rmSync(directory, { recursive: true }));
	const authority = createAuthority(directory, 'ca');
	issue(directory, authority, 'master', { names: `IP:${ADDRESSES.master}` });
	for (const file of ['ca.pem', 'master.pem', 'master.key']) machine.copy(`${directory}/${file}`, `/root/${file}`);
	machine.write('/root/overlay.yaml', JSON.stringify({ dcos_overlay_network: documentExample }));
	machine.write('/root/agent-tokens', `${ADDRESSES.agent} a-token-of-the-agent-for-tests\n`);
	machine.write('/root/operator-tokens', `test ${OPERATOR}\n`);
	machine.write('/root/agent-token', 'a-token-of-the-agent-for-tests\n');
	machine.copy(executable, '/root/build/bin/mesos-overlay');
	for (const unit of [MASTER, AGENT]) {
		machine.copy(`${projectDirectory}/build/systemd/${unit}.service`, `/root/build/systemd/${unit}.service`);
	}
	return {
		...machine,
		install: (daemon) => machine.must(['sh', '-e', '-c', `cd /root\n${installation(`mesos-overlay-${daemon}`)}`]),
		agents: () => {
			const url = `https://${ADDRESSES.master}:5055/overlay-master/state`;
			const bearer = `Authorization: Bearer ${OPERATOR}`;
			const text = machine.must(['curl', '-sS', '--fail', '--cacert', '/root/ca.pem', '-H', bearer, url]);
			return (JSON.parse(text) as { agents: DocumentAgent[] }).agents;
		},
		launch: () => launch(t, host, machine),
	};
}

/** The commands of the page that install a unit. */
function installation(unit: string): string {
	const blocks = codeBlocks(readPage('docs/operations.md'), 'console');
	const found = blocks.find((block) => block.includes(`enable --now ${unit}\n`));
	if (found === undefined) throw new Error(`docs/operations.md does not say how to install ${unit}`);
	return found.replaceAll(/^# /gm, '');
}

/** Attaches a container by the configuration that the agent has written, outside all units. */
function launch(t: ExecutionContext, host: ClusterHost, machine: SystemdMachine): Launched {
	const namespace = machine.container();
	const configuration = JSON.parse(machine.must(['cat', `${CNI_DIRECTORY}/dcos.conf`])) as Configuration;
	const described = attachment({ ...host, ...machine }, namespace, { ...configuration, cniVersion: '1.0.0' });
	const { ips } = resultOf(t, described.add({ executable: INSTALLED }));
	return { ...described, namespace, gateway: ips[0]?.gateway ?? '' };
}

/** The devices that the agent has made. */
function ownLinks(machine: Namespace): string[] {
	return machine.links().flatMap(({ ifname }) => (/^(?:m-|vtep)/.test(ifname) ? [ifname] : []));
}

function subnetsOf([agent]: readonly DocumentAgent[]): (string | undefined)[] {
	return agent?.overlays.map(({ subnet }) => subnet) ?? [];
}

function areWell(agents: readonly DocumentAgent[]): boolean {
	const states = agents.flatMap(({ overlays }) => overlays.map(({ state }) => state.status));
	return states.length > 0 && states.every((status) => status === 'STATUS_OK');
}

testOn(NEEDS, 'both daemons do all of their work with the restrictions of their units', async (t) => {
	const machine = await boot(t);
	machine.install('master');
	machine.install('agent');
	// CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_PTRACE
	const capabilities = { [MASTER]: '0000000000000000', [AGENT]: '000000000008300a' };
	for (const [unit, bound] of Object.entries(capabilities)) {
		const { ActiveState, NRestarts, MainPID } = machine.show(unit, 'ActiveState', 'NRestarts', 'MainPID');
		t.deepEqual({ ActiveState, NRestarts }, { ActiveState: 'active', NRestarts: '0' });
		const status = machine.must(['cat', `/proc/${MainPID}/status`]);
		t.deepEqual(status.match(/^(?:CapBnd|NoNewPrivs|Seccomp):.*$/gm), [
			`CapBnd:\t${bound}`,
			'NoNewPrivs:\t1',
			'Seccomp:\t2',
		]);
		const { stderr } = machine.run(['nsenter', '--target', MainPID, '--mount', 'touch', '/usr/file']);
		t.regex(stderr, /Read-only file system/);
	}
	// All of it is there as soon as the unit has started.
	t.not(machine.link('vtep1024'), undefined);
	t.not(machine.link('m-dcos'), undefined);
	t.regex(machine.must(['nft', 'list', 'set', 'inet', 'mesos_overlay', 'overlays4']), /9\.0\.0\.0\/8/);
	t.regex(machine.must(['cat', AGENT_FILE]), /9\.0\.0\.0\/26/);
	t.is(machine.must(['ls', CNI_DIRECTORY]), 'dcos-1.conf\ndcos.conf\n');
	await until('the networks to be well', () => areWell(machine.agents()));
	t.deepEqual(subnetsOf(machine.agents()), ['9.0.0.0/26', '192.168.0.0/24']);

	const container = machine.launch();
	const ping = ['ping', '-c', '1', '-W', '2', container.gateway];
	container.namespace.must(ping);
	t.is(machine.must(['stat', '-c', '%a %U', '/run/mesos-overlay/leases']), '700 root\n');
	machine.must(['systemctl', 'restart', AGENT]);
	container.namespace.must(ping);
	t.is(container.check({ executable: INSTALLED }).status, 0);
	const leases = machine.must([INSTALLED, 'leases', '--json']);
	t.true(leases.includes(container.containerId));
});

testOn([...NEEDS, 'iptables-nft'], 'the unit of the agent lets it run iptables', async (t) => {
	const machine = await boot(t);
	machine.install('master');
	const unit = `/root/build/systemd/${AGENT}.service`;
	machine.must(['sed', '-i', 's/ [$]OVERLAY_OPTIONS$/ --nat-backend iptables&/', unit]);
	machine.install('agent');
	await until('the networks to be well', () => areWell(machine.agents()));
	t.regex(machine.must(['iptables-nft', '-t', 'nat', '-S']), /-s 9\.0\.0\.0\/8 -j MASQUERADE/);
});

testOn(NEEDS, 'a daemon comes back a second after it was killed, however often', async (t) => {
	const machine = await boot(t);
	machine.install('master');
	machine.install('agent');
	const before = subnetsOf(machine.agents());
	// By default, systemd gives up after five starts in ten seconds.
	for (let times = 1; times <= 6; times++) {
		const pids = [MASTER, AGENT].map((unit) => machine.show(unit, 'MainPID').MainPID);
		const begin = performance.now();
		machine.must(['kill', '-9', ...pids]);
		const areBack = (): boolean =>
			[MASTER, AGENT].every((unit, at) => {
				const { ActiveState, MainPID } = machine.show(unit, 'ActiveState', 'MainPID');
				return ActiveState === 'active' && MainPID !== pids[at];
			});
		await until('both to be back', areBack, 10_000);
		t.true(performance.now() - begin >= 900);
		for (const unit of [MASTER, AGENT]) t.is(machine.show(unit, 'NRestarts').NRestarts, `${times}`, unit);
	}
	t.deepEqual(subnetsOf(machine.agents()), before);
	t.is(before.length, 2);
});

testOn(NEEDS, 'a reload reads the tokens anew, and a stop ends well and leaves the networks', async (t) => {
	const machine = await boot(t);
	machine.install('master');
	machine.install('agent');
	machine.write('/etc/mesos-overlay/operator-tokens', 'other another-operator-token\n');
	machine.must(['systemctl', 'reload', MASTER]);
	await until('the tokens to be read', () => machine.journal(MASTER).includes('"credentials read"'));
	t.throws(() => machine.agents(), { message: /401/ });

	for (const unit of [AGENT, MASTER]) {
		machine.must(['systemctl', 'stop', unit]);
		// Who has to be killed after the time limit has the result "timeout".
		const ended = { ActiveState: 'inactive', Result: 'success', ExecMainStatus: '0' };
		t.deepEqual(machine.show(unit, 'ActiveState', 'Result', 'ExecMainStatus'), ended);
	}
	t.not(machine.link('m-dcos'), undefined);
	machine.must([INSTALLED, 'agent', '--remove']);
	t.deepEqual(ownLinks(machine), []);
});

testOn(NEEDS, 'a daemon that could not do better by a restart fails once, and says why', async (t) => {
	const machine = await boot(t);
	machine.install('master');
	machine.install('agent');
	const refuses = (unit: string, status: string, reason: RegExp): void => {
		t.not(machine.run(['systemctl', 'restart', unit]).status, 0);
		const properties = ['ActiveState', 'Result', 'ExecMainStatus', 'NRestarts'] as const;
		const failed = { ActiveState: 'failed', Result: 'exit-code', ExecMainStatus: status, NRestarts: '0' };
		t.deepEqual(machine.show(unit, ...properties), failed);
		t.regex(machine.journal(unit), reason);
	};
	machine.write('/etc/mesos-overlay/master', 'OVERLAY_OPTIONS=--quarantaine 3600\n');
	refuses(MASTER, '2', /mesos-overlay: .*"--quarantaine"/);
	machine.write('/etc/mesos-overlay/master', '');
	machine.write('/etc/mesos-overlay/overlay.yaml', 'dcos_overlay_network: { vtep_subnet: 44.128.0.0/33 }\n');
	refuses(MASTER, '78', /vtep_subnet/);
	machine.write('/etc/mesos-overlay/agent', `OVERLAY_MASTER=10.0.0.1\nOVERLAY_IP=${ADDRESSES.agent}\n`);
	refuses(AGENT, '78', /"10\.0\.0\.1" is no address of a master/);
	machine.must(['chmod', '644', '/etc/mesos-overlay/agent-token']);
	machine.write('/etc/mesos-overlay/agent', `OVERLAY_MASTER=http://10.0.0.1:5055\nOVERLAY_IP=${ADDRESSES.agent}\n`);
	refuses(AGENT, '78', /others can use it \(mode 0644\)/);
});

testOn(NEEDS, 'Mesos and Docker start when the networks are there, and soon when nobody knows them', async (t) => {
	const machine = await boot(t);
	machine.install('master');
	machine.install('agent');
	const others = ['dcos-mesos-slave', 'docker'];
	for (const unit of others) {
		const look = `ls ${AGENT_FILE} ${CNI_DIRECTORY}/dcos.conf /sys/class/net >/root/${unit} 2>&1 || true`;
		const lines = [
			'[Service]',
			'Type=oneshot',
			`ExecStart=sh -c '${look}'`,
			'[Install]',
			'WantedBy=multi-user.target',
		];
		machine.write(`/etc/systemd/system/${unit}.service`, `${lines.join('\n')}\n`);
		machine.must(['systemctl', 'enable', unit]);
	}
	machine.must(['systemctl', 'disable', MASTER]);
	/** Boots without a master, and gives how many seconds after the agent the others have started, and what they have found. */
	const rebootWithout = async (...files: readonly string[]): Promise<[number, string][]> => {
		machine.must(['systemctl', 'stop', AGENT, MASTER]);
		machine.must(['rm', '-rf', ...files]);
		for (const name of ownLinks(machine)) machine.must(['ip', 'link', 'delete', name]);
		await machine.reboot();
		const began = (unit: string): number =>
			Number(machine.show(unit, 'ExecMainStartTimestampMonotonic').ExecMainStartTimestampMonotonic) / 1e6;
		return others.map((unit) => [began(unit) - began(AGENT), machine.must(['cat', `/root/${unit}`])]);
	};
	for (const [seconds, found] of await rebootWithout()) {
		t.true(seconds < 9, `${seconds}`);
		for (const what of [AGENT_FILE, 'dcos.conf', 'vtep1024', 'm-dcos']) t.true(found.includes(`${what}\n`), found);
	}
	for (const [seconds, found] of await rebootWithout('/var/lib/mesos-overlay', CNI_DIRECTORY)) {
		t.true(seconds >= 9.9 && seconds < 20, `${seconds}`);
		t.is(found.match(/No such file/g)?.length, 2, found);
	}
	machine.must(['systemctl', 'start', MASTER]);
	await until('the networks to come', () => machine.run(['cat', AGENT_FILE]).status === 0, 5000);
	const owners = machine.must([
		'stat',
		'-c',
		'%a %U',
		'/var/lib/mesos-overlay/master',
		'/var/lib/mesos-overlay/agent',
	]);
	t.is(owners, '700 mesos-overlay\n700 root\n');
});
