// The help, made from the table of commands.

import manifest from '../../package.json' with { type: 'json' };
import { supportedVersions } from '../cni/versions.ts';
import { type Command, HELP, type Option } from './command.ts';
import { commands, shortName } from './commands.ts';

const LONGEST_LINE = 100;

export const introduction = `mesos-overlay ${manifest.version}: a CNI plugin that attaches a container to a Mesos overlay network.
Container runtimes call it: put it into their CNI plugin directory (/opt/cni/bin; for Mesos, --network_cni_plugins_dir).
CNI protocol versions supported: ${supportedVersions.join(', ')}. "mesos-overlay --help" says more.
`;

/** The help of the whole program. */
export function programHelp(): string {
	return `Usage: mesos-overlay <command> [--help]
       mesos-overlay --help | --version
       CNI_COMMAND=ADD CNI_CONTAINERID=... CNI_NETNS=... CNI_IFNAME=... mesos-overlay < network.conf

${manifest.description}.

Commands:
${columns(commands.map((command) => [shortName(command), command.summary]))}

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

Every key of the configuration is described in docs/configuration.md, every error in docs/troubleshooting.md,
the commands in docs/operations.md.
`;
}

/** The help of one command, with its siblings. */
export function commandHelp(command: Command): string {
	const [group = ''] = command.name.split(' ');
	const siblings = commands.filter((other) => other !== command && other.name.startsWith(`${group} `));
	const options = Object.entries({ ...command.options, ...HELP });
	return `${inLines(`Usage: mesos-overlay ${usageOf(command)}`)}

${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.

${command.details}

Options:
${columns(options.map(([name, option]) => [spelling(name, option), option.about]))}
${siblings.length === 0 ? '' : `\nSee also:\n${columns(siblings.map((other) => [shortName(other), other.summary]))}\n`}`;
}

/** A command with all that may follow: `leases list [--network NAME]`. */
export function usageOf({ name, operand, options }: Command): string {
	const words = Object.entries(options).map(([option, { value, required }]) => {
		const word = `--${option}${value === undefined ? '' : ` ${value}`}`;
		return required ? word : `[${word}]`;
	});
	return [name.replace(/ list$/, ' [list]'), ...(operand === undefined ? [] : [operand]), ...words].join(' ');
}

/** A usage in lines that a terminal shows whole, broken before options. */
function inLines(usage: string): string {
	let lines = '';
	let length = 0;
	for (const word of usage.split(/ (?=\[?--)/)) {
		const isTooLong = length + word.length > LONGEST_LINE;
		lines += length === 0 ? word : `${isTooLong ? '\n         ' : ''} ${word}`;
		length = (isTooLong ? 10 : length + 1) + word.length;
	}
	return lines;
}

function spelling(name: string, { short, value }: Option): string {
	return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
	const width = Math.max(...rows.map(([first]) => first.length));
	return rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}`).join('\n');
}
