// What the program says to a person at a terminal.

import { writeSync } from 'node:fs';
import manifest from '../../package.json' with { type: 'json' };
import { supportedVersions } from '../cni/versions.ts';

const introduction = `mesos-overlay ${manifest.version}: a CNI plugin that attaches a container to a Mesos overlay network.
Container runtimes call it: put it into their CNI plugin directory (/opt/cni/bin; for Mesos, --network_cni_plugins_dir).
CNI protocol versions supported: ${supportedVersions.join(', ')}. "mesos-overlay --help" says more.
`;

const help = `Usage: mesos-overlay --help | --version
       CNI_COMMAND=ADD CNI_CONTAINERID=... CNI_NETNS=... CNI_IFNAME=... mesos-overlay < network.conf

${manifest.description}.

As a CNI plugin it is configured by the network configuration on stdin:

  {
    "name": "dcos",
    "type": "mesos-overlay",
    "ipam": { "type": "mesos-overlay-ipam", "agentSubnet": "9.0.1.0/26" }
  }

and told what to do by the environment:

  CNI_COMMAND      ADD, DEL, CHECK, GC, STATUS or VERSION
  CNI_CONTAINERID  the container's id
  CNI_NETNS        the path of its network namespace
  CNI_IFNAME       the interface to make in it
  CNI_ARGS         IP=...;MAC=...
  CNI_PATH         where other IPAM plugins are

Called as mesos-overlay-ipam (a link to the same file) it is an IPAM plugin for any other main plugin.

Options:
  -h, --help       this text
  -v, --version    the version

Every key of the configuration is described in docs/configuration.md, every error in docs/troubleshooting.md.
`;

/** Answers what was typed; returns the exit status. */
export function runCommandLine(words: readonly string[]): number {
	const [first] = words;
	switch (first) {
		case undefined:
			// On stderr and with status 0, as the reference plugins do: a runtime may look whether a plugin can be started.
			writeSync(2, introduction);
			return 0;
		case '-h':
		case '--help':
		case 'help':
			writeSync(1, help);
			return 0;
		case '-v':
		case '--version':
		case 'version':
			writeSync(1, `${manifest.version}\n`);
			return 0;
		default:
			writeSync(2, `mesos-overlay: unknown command "${first}"; "mesos-overlay --help" lists what there is\n`);
			return 2;
	}
}
