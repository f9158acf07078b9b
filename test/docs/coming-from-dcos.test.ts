// docs/operations.md on coming from DC/OS' overlay: its commands tell the master of the hosts, which are then moved one by one.
import { readFileSync, writeFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { executable, invoke } from '../helpers/cni.ts';
import { type ClusterHost, createCluster } from '../helpers/cluster.ts';
import { type Daemon, startDaemon } from '../helpers/cluster-process.ts';
import { createPlace, masterCommand, type Place } from '../helpers/master.ts';
import type { Namespace } from '../helpers/namespace.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping, transfer } from '../helpers/traffic.ts';
import { sectionOf } from './daemons.ts';
import { codeBlocks } from './markdown.ts';

const section = sectionOf("Coming from DC/OS' overlay");
const telling = codeBlocks(section, 'console').find((block) => block.includes('/v1/agents/')) ?? '';

const networks = {
	vtep_subnet: '44.128.0.0/20',
	vtep_subnet6: 'fd01:a::/64',
	vtep_mac_oui: '70:B3:D5:00:00:00',
	vtep_mtu: 1420,
	overlays: [{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 24, subnet6: 'fd01:b::/64', prefix6: 80 }],
};

const OPERATOR = 'an-operator-token-for-tests';
const tokenOf = (ip: string) => `a-token-of-${ip}-for-tests`;

/** What the original gave two hosts: not what they would get by the order in which they are moved. */
const first = {
	ip: '10.64.0.1',
	vtep: '44.128.0.9',
	vtep6: 'fd01:a::9',
	mac: '70:b3:d5:80:00:09',
	subnet: '9.0.7.0/24',
	// Where the original's arithmetic of IPv6 leads to.
	subnet6: 'fd01:b:0:0:1ff::/80',
};
const second = {
	ip: '10.64.0.2',
	vtep: '44.128.0.1',
	vtep6: 'fd01:a::1',
	mac: '70:b3:d5:80:00:01',
	subnet: '9.0.0.0/24',
	subnet6: 'fd01:b::/80',
};
const originals = [first, second];
type Original = typeof first;

/** The original's state, as far as anybody looks. */
const originalState = {
	agents: originals.map(({ ip, vtep, vtep6, mac, subnet, subnet6 }) => ({
		ip,
		overlays: [
			{
				info: { ...networks.overlays[0], enabled: true },
				subnet,
				subnet6,
				backend: {
					vxlan: {
						vni: 1024,
						vtep_name: 'vtep1024',
						vtep_ip: `${vtep}/20`,
						vtep_ip6: `${vtep6}/64`,
						vtep_mac: mac,
					},
				},
				state: { status: 'STATUS_OK' },
			},
		],
	})),
	network: networks,
};

/** Has a host be as the original has made it, with the way to another one. */
function setUpOriginal(host: ClusterHost, own: Original, other: Original): void {
	const lines = [
		'ip link add vtep1024 type vxlan id 1024 dstport 64000 learning noudpcsum',
		`ip link set vtep1024 address ${own.mac} up`,
		`ip address add ${own.vtep}/20 dev vtep1024`,
		`ip neighbour replace ${other.vtep} lladdr ${other.mac} dev vtep1024 nud permanent`,
		`ip route replace ${other.subnet} via ${other.vtep}`,
		`bridge fdb replace ${other.mac} dev vtep1024 dst ${other.ip} self permanent`,
		`ip route replace ${other.ip}/32 via ${other.vtep} table 42`,
		'ip rule add from 9.0.0.0/8 lookup 42',
		'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=2',
	];
	host.must(['sh', '-ec', lines.join('\n')]);
}

/** A container as the original's reference bridge attaches it. */
function launchOld(host: ClusterHost, { subnet }: Original): { container: Namespace; address: string } {
	const container = host.container();
	const [gateway, address] = [subnet.replace('0/24', '1'), subnet.replace('0/24', '2')];
	const lines = [
		'ip link add m-dcos mtu 1420 type bridge',
		`ip address add ${gateway}/25 dev m-dcos`,
		`ip link add old mtu 1420 type veth peer name eth0 mtu 1420 netns ${container.name}`,
		'ip link set m-dcos up',
		'ip link set old master m-dcos up',
	];
	host.must(['sh', '-ec', lines.join('\n')]);
	container.must(['ip', 'address', 'add', `${address}/25`, 'dev', 'eth0']);
	container.must(['ip', 'link', 'set', 'eth0', 'up']);
	container.must(['ip', 'route', 'add', 'default', 'via', gateway]);
	return { container, address };
}

function launchNew(host: ClusterHost): { container: Namespace; address: string } {
	const container = host.container();
	const configuration = readFileSync(`${host.directory}/cni/dcos.conf`, 'utf8');
	const call = { command: 'ADD', containerId: 'moved', ifname: 'eth0', netns: container.path };
	const { json } = invoke(host, { ...call, configuration });
	return { container, address: json?.ip4?.ip.replace(/\/.*/, '') ?? '' };
}

/** Starts a master on a host; gives its URL. */
async function startMaster(t: ExecutionContext, seat: ClusterHost, { directory, ...place }: Place): Promise<string> {
	const tokens = originals.map(({ ip }) => `${ip} ${tokenOf(ip)}\n`).join('');
	writeFileSync(`${directory}/agent-tokens`, `# of all hosts\n${tokens}`, { mode: 0o600 });
	writeFileSync(`${directory}/operator-tokens`, `admin ${OPERATOR}\n`, { mode: 0o600 });
	const files = ['agent-tokens', 'operator-tokens'].flatMap((name) => [`--${name}`, `${directory}/${name}`]);
	const listen = `${seat.ip}:5055`;
	const daemon = startDaemon(t, seat, masterCommand({ directory, ...place }, '--listen', listen, ...files));
	await daemon.event('master started');
	return `http://${listen}`;
}

function startAgent(t: ExecutionContext, host: ClusterHost, master: string): Daemon {
	const { directory, ip } = host;
	writeFileSync(`${directory}/token`, tokenOf(ip), { mode: 0o600 });
	const who = ['--master', master, '--ip', ip, '--token-file', `${directory}/token`, '--docker', 'none'];
	const where = ['--cni-dir', `${directory}/cni`, '--state-dir', `${directory}/state`, '--run-dir', directory];
	return startDaemon(t, host, [executable, 'agent', ...who, ...where]);
}

testOn(['vxlan', 'ipv6', 'jq'], 'a host that is moved keeps what it has, and reaches those that are not', async (t) => {
	const [moved, waiting, seat] = createCluster(t, 3).hosts;
	if (moved === undefined || waiting === undefined || seat === undefined) throw new Error('expected three hosts');
	setUpOriginal(moved, first, second);
	setUpOriginal(waiting, second, first);
	const old = launchOld(waiting, second);

	const place = createPlace(t, networks);
	const master = await startMaster(t, seat, place);
	writeFileSync(`${place.directory}/original.json`, JSON.stringify(originalState));
	const script = `cd '${place.directory}'; master=${master} TOKEN=${OPERATOR}\n${telling}`;
	const told = seat.run(['sh', '-ec', script]);
	t.is(told.stdout, 'every host keeps what it has\n', told.stderr);

	moved.must(['sh', '-ec', 'ip link delete vtep1024; ip rule delete from 9.0.0.0/8 lookup 42']);
	const agent = startAgent(t, moved, master);
	await agent.event('network well', 0, 20_000);
	t.deepEqual(moved.addresses('vtep1024'), [`${first.vtep}/20`, `${first.vtep6}/64`]);
	t.is(moved.link('vtep1024')?.address, first.mac);
	const { container, address } = launchNew(moved);
	t.is(address, '9.0.7.2');
	t.true(ping(container, old.address, 1392, ['-M', 'do']));
	t.true(ping(old.container, address, 1392, ['-M', 'do']));
	t.is(await transfer(container, old.container, 'tcp', old.address, 1_000_000), 1_000_000);
	t.is(await transfer(old.container, container, 'tcp', address, 1_000_000), 1_000_000);
});

testOn(
	['vxlan', 'ipv6'],
	'what was left of the original: the device is taken over, file and routes are not',
	async (t) => {
		const [host, seat] = createCluster(t, 2).hosts;
		if (host === undefined || seat === undefined) throw new Error('expected two hosts');
		setUpOriginal(host, first, second);
		const { ifindex } = host.link('vtep1024') ?? {};
		const file = `${host.directory}/cni/dcos.conf`;
		host.must(['mkdir', `${host.directory}/cni`]);
		writeFileSync(file, '{"name": "dcos", "type": "mesos-cni-port-mapper"}');
		const agent = startAgent(t, host, await startMaster(t, seat, createPlace(t, networks)));
		const { error } = await agent.event('network failing', 0, 20_000);
		t.is(error, `writing "${file}": somebody else wrote this file; remove or rename it`);
		const vtep = host.link('vtep1024');
		t.deepEqual([vtep?.ifindex, vtep?.linkinfo?.info_data?.['learning']], [ifindex, false]);
		t.regex(host.must(['ip', 'route']), /^9\.0\.0\.0\/24 via 44\.128\.0\.1 dev vtep1024 $/m);
	},
);
