// Starts the agent of a host, or takes the host out of the virtual networks.

import { messageOf } from '../ipam/lease-error.ts';
import { note } from '../linux/standard-error.ts';
import { defineCommand, UsageError, type Values } from './command.ts';

const text = (value: string, about: string) => ({ type: 'string', value, about }) as const;

/** EX_CONFIG of sysexits.h: to start again, without having changed something, is of no use. */
const NOT_WORTH_A_RESTART = 78;

const options = {
	master: text('URL', 'where the master is: http://10.0.0.1:5055'),
	ip: text('ADDRESS', 'the address of this host by which the others reach it'),
	'token-file': text('FILE', 'the token that the master knows this agent by; mode 0600'),
	'tls-ca': text('FILE', "who issues the master's certificate, PEM"),
	'tls-certificate': text('FILE', 'the certificate of this agent, PEM; it names the address'),
	'tls-key': text('FILE', 'its key, PEM; mode 0600'),
	'cni-dir': text('DIR', 'where Mesos reads network configurations, or none; /opt/mesosphere/etc/dcos/network/cni'),
	'state-dir': text('DIR', 'what outlasts a boot; /var/lib/mesos-overlay/agent'),
	'run-dir': text('DIR', 'agent.json, leases and records of rules; /run/mesos-overlay'),
	listen: text('ADDRESS:PORT', 'where /overlay-agent/overlay, /healthz and /metrics are; 127.0.0.1:5056'),
	mtu: text('BYTES', 'of VTEP and bridges, in place of what the underlay leaves'),
	addressing: text('WORD', "bridged, or routed: every address of the Mesos half is a container's"),
	'nat-backend': text('WORD', 'what keeps the rules: nftables, iptables, or auto'),
	'network-options': text('FILE', 'JSON: keys to add to the network configurations, by the name of the network'),
	docker: text('SOCKET', "of Docker's engine, or none; /var/run/docker.sock"),
	'docker-ipv6': text('WORD', 'on, or off: networks of Docker have no IPv6'),
	remove: { type: 'boolean', about: 'take everything of the agent off this host, in place of starting it' },
} as const;

export const agent = defineCommand({
	name: 'agent',
	summary: 'makes this host part of the virtual networks, and keeps it so',
	details: `Registers with the master, and keeps VXLAN, routes, bridges, rules, network configurations and Docker networks
as it says until SIGTERM, which leaves them working. It tells what it does on stderr, a JSON object a line.
Without the master it goes on by what it heard last. Exit status 78: nothing will change by starting it
again. With --remove it needs neither --master nor --ip. docs/operations.md says more.`,
	options,
	async run(values) {
		const { OptionError } = await import('../agent/agent-options.ts');
		try {
			return values.remove ? await remove(values) : await start(values);
		} catch (error) {
			if (!(error instanceof OptionError)) throw error;
			note(messageOf(error));
			return NOT_WORTH_A_RESTART;
		}
	},
});

async function start(values: Values<typeof options>): Promise<number> {
	const { master, ip, 'tls-certificate': certificate, 'tls-key': key, 'network-options': file } = values;
	for (const [name, value] of Object.entries({ master, ip })) {
		if (value === undefined) throw new UsageError(`agent: option "--${name}" is missing`);
	}
	if ((certificate === undefined) !== (key === undefined)) {
		throw new UsageError('agent: --tls-certificate and --tls-key belong together');
	}
	const read = await import('../agent/agent-options.ts');
	const { readFurtherKeys } = await import('../agent/plugin/further-keys.ts');
	const { runAgent } = await import('../agent/daemon.ts');
	const { network, ...host } = await readHost(values);
	return runAgent({
		master: read.readMasterUrl(master ?? ''),
		ip: read.readHostAddress(ip ?? ''),
		credentials: { token: values['token-file'], authority: values['tls-ca'], certificate, key },
		listen: read.readListenAddress(values.listen ?? String(read.DEFAULT_PORT)),
		mtu: values.mtu === undefined ? undefined : read.readMtu(values.mtu),
		dockerIpv6: read.readWord('docker-ipv6', values['docker-ipv6'] ?? 'on', ['on', 'off']) === 'on',
		...host,
		network: file === undefined ? network : { ...network, further: readFurtherKeys(file, network) },
	});
}

async function remove(values: Values<typeof options>): Promise<number> {
	const { removeHost } = await import('../agent/remove-host.ts');
	const left = await removeHost(await readHost(values));
	for (const what of left) note(what);
	return left.length === 0 ? 0 : 1;
}

/** What starting and removing have in common. */
async function readHost(values: Values<typeof options>) {
	const { readDirectory, readWord, RUN_DIRECTORY } = await import('../agent/agent-options.ts');
	const { BACKENDS } = await import('../nat/configuration.ts');
	const { docker = '/var/run/docker.sock', 'cni-dir': cni = '/opt/mesosphere/etc/dcos/network/cni' } = values;
	return {
		places: {
			cni: cni === 'none' ? undefined : readDirectory('cni-dir', cni),
			state: readDirectory('state-dir', values['state-dir'] ?? '/var/lib/mesos-overlay/agent'),
			run: readDirectory('run-dir', values['run-dir'] ?? RUN_DIRECTORY),
		},
		network: {
			addressing: readWord('addressing', values.addressing ?? 'bridged', ['bridged', 'routed']),
			backend: readWord('nat-backend', values['nat-backend'] ?? 'auto', BACKENDS),
		},
		dockerSocket: docker === 'none' ? undefined : readDirectory('docker', docker),
	};
}
