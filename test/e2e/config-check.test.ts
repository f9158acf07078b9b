// What somebody sees who checks the configuration of the virtual networks.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { executable } from '../helpers/cni.ts';
import { createHost } from '../helpers/host.ts';

const document = new URL('../overlay/config.yaml', import.meta.url).pathname;

const check = (t: ExecutionContext, words: readonly string[], prepare: readonly string[] = []) => {
	const host = createHost(t);
	if (prepare.length > 0) host.must(prepare);
	const { status, stdout, stderr } = host.run([executable, 'config', 'check', ...words]);
	return { status, stdout, stderr };
};

test('how many agents and containers the networks have room for', (t) => {
	t.deepEqual(check(t, [document]), {
		status: 0,
		stdout: `NETWORK  SUBNET          EACH  AGENTS  CONTAINERS
dcos     9.0.0.0/8       /26   262144  29
dcos-1   192.168.0.0/16  /24   256     125
There are VTEP addresses for 4094 agents.
`,
		stderr: '',
	});
	const { stdout } = check(t, [document, '--json']);
	t.deepEqual(JSON.parse(stdout), {
		networks: [
			{ network: 'dcos', subnet: '9.0.0.0/8', prefix: 26, agents: 262_144, containers: 29 },
			{ network: 'dcos-1', subnet: '192.168.0.0/16', prefix: 24, agents: 256, containers: 125 },
		],
		vteps: 4094,
	});
});

test('everything that is wrong, a line each', (t) => {
	const file = join(createHost(t).directory, 'overlay.yaml');
	writeFileSync(file, 'dcos_overlay_network:\n  vtep_subnet: 44.128.0.0\n  overlays: 7\n');
	const { status, stdout, stderr } = check(t, [file]);
	t.deepEqual([status, stdout], [1, '']);
	t.deepEqual(
		stderr.trimEnd().split('\n'),
		[
			'2:3: dcos_overlay_network.vtep_mac_oui: is missing; write vtep_mac_oui: 70:B3:D5:00:00:00',
			'2:16: dcos_overlay_network.vtep_subnet: "44.128.0.0" is no IPv4 subnet; write it as "9.0.0.0/8"',
			'3:13: dcos_overlay_network.overlays: 7 is not a list of networks; write overlays: [{ name: dcos, subnet: 9.0.0.0/8, prefix: 26 }]',
		].map((problem) => `mesos-overlay: ${file}:${problem}`),
	);
});

test('a network that this host is in', (t) => {
	const lan = (name: string, address = '192.168.7.1/24') => [
		'sh',
		'-ec',
		`ip link add ${name} type bridge; ip address add ${address} dev ${name}; ip link set ${name} up`,
	];
	const { status, stderr } = check(t, [document], lan('uplink'));
	t.is(status, 1);
	t.regex(stderr, /:\d+:19: .*"192.168.0.0\/16" overlaps 192.168.7.0\/24 of uplink of this host; write/);
	const idle = ['sh', '-ec', 'ip link add docker0 type bridge; ip address add 9.255.0.1/16 dev docker0'];
	t.regex(check(t, [document], idle).stderr, /"9.0.0.0\/8" overlaps 9.255.0.0\/16 of docker0 of this host/);
	t.is(check(t, [document], lan('uplink', '10.10.0.117/24')).status, 0);
	t.is(check(t, [document, '--ignore-host-networks'], lan('uplink')).status, 0);
	t.is(check(t, [document], lan('m-dcos-1')).status, 0, 'the bridge of the network itself');
});

test('a file that cannot be read', (t) => {
	t.deepEqual(check(t, ['/nowhere.yaml']), {
		status: 1,
		stdout: '',
		stderr: 'mesos-overlay: reading the configuration "/nowhere.yaml": there is no such file\n',
	});
	t.is(check(t, []).status, 2);
});
