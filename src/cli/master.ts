// Starts the master of the virtual networks.

import { messageOf } from '../ipam/lease-error.ts';
import { note } from '../linux/standard-error.ts';
import { defineCommand, UsageError } from './command.ts';

const file = (about: string) => ({ type: 'string', value: 'FILE', about }) as const;

export const master = defineCommand({
	name: 'master',
	summary: 'hands each agent its subnets and VTEP, and serves the state of the networks',
	details: `Reads dcos_overlay_network from a config.yaml, gives each agent that registers its part of each network, and
serves what was given by HTTP until SIGTERM. It tells what it does on stderr, a JSON object a line. SIGHUP
makes it read credentials and certificates anew. Exit status 78: nothing will change by starting it again.
Without credentials it listens on the loopback only. docs/operations.md says more.`,
	options: {
		config: { ...file('the configuration of the virtual networks'), required: true },
		state: file('where the state is kept; /var/lib/mesos-overlay/master/master.db'),
		listen: {
			type: 'string',
			value: 'ADDRESS:PORT',
			about: 'port 5055, of all addresses if there are credentials',
		},
		'agent-tokens': file("agents' tokens: lines of address, token, and perhaps a time of expiry; mode 0600"),
		'operator-tokens': file("operators' tokens: lines of name, token, and perhaps a time of expiry; mode 0600"),
		'tls-certificate': file('the certificate of this server, PEM; HTTPS in place of HTTP'),
		'tls-key': file('its key, PEM; mode 0600'),
		'agent-ca': file('who issues the certificates of agents, PEM; these name their addresses'),
		'operator-ca': file('who issues the certificates of operators, PEM'),
		quarantine: { type: 'string', value: 'SECONDS', about: 'how long what was freed is not given again; 600' },
		force: { type: 'boolean', about: 'remove networks that the configuration does not name at once' },
		'ignore-host-networks': {
			type: 'boolean',
			about: 'do not compare the configuration with the networks of this host',
		},
	},
	async run(values) {
		const { 'tls-certificate': certificate, 'tls-key': key } = values;
		if ((certificate === undefined) !== (key === undefined)) {
			throw new UsageError('master: --tls-certificate and --tls-key belong together');
		}
		if ((values['agent-ca'] ?? values['operator-ca']) !== undefined && certificate === undefined) {
			throw new UsageError('master: client certificates need --tls-certificate and --tls-key');
		}
		const { readListenAddress, readQuarantine } = await import('../master/master-options.ts');
		const { runMaster } = await import('../master/daemon.ts');
		const { exitStatusOf } = await import('../master/start.ts');
		try {
			return await runMaster({
				configuration: values.config,
				state: values.state ?? '/var/lib/mesos-overlay/master/master.db',
				listen: values.listen === undefined ? undefined : readListenAddress(values.listen),
				credentials: {
					agentTokens: values['agent-tokens'],
					operatorTokens: values['operator-tokens'],
					agentAuthority: values['agent-ca'],
					operatorAuthority: values['operator-ca'],
				},
				certificate: certificate === undefined || key === undefined ? undefined : { certificate, key },
				quarantine: readQuarantine(values.quarantine ?? '600'),
				force: values.force,
				besideHost: !values['ignore-host-networks'],
			});
		} catch (error) {
			const status = exitStatusOf(error);
			if (status === undefined) throw error;
			for (const line of messageOf(error).split('\n')) note(line);
			return status;
		}
	},
});
