# SPDX-License-Identifier: Apache-2.0
# Bash completion of fodc-proxy, fodc-ring, fodc-blackbox and fodc-agentsim. Flags and sub-commands are read out of the program's own
# --help, so that they are always those of the version that is installed.

_fodc_help() { # COMMAND [SUB-COMMAND]: what its --help says; nothing if there is no such command
    command -v -- "$1" >/dev/null && "$@" --help 2>/dev/null </dev/null
}

_fodc() {
    local word=$2 before=$3 command=${COMP_WORDS[0]} help
    local -a subcommand=()
    COMPREPLY=()
    # Sub-commands come first, so the words up to the first flag are they.
    local -i index
    for ((index = 1; index < COMP_CWORD && index < 3; index++)); do
        case ${COMP_WORDS[index]} in -* | =) break ;; esac
        subcommand+=("${COMP_WORDS[index]}")
    done
    # --flag=VALUE comes as three words.
    [ "$before" != = ] || before=${COMP_WORDS[COMP_CWORD - 2]}
    [ "$word" != = ] || word=
    case $before in
        --log-level | log-level) mapfile -t COMPREPLY < <(compgen -W 'trace debug info warning error' -- "$word"); return ;;
        restart) mapfile -t COMPREPLY < <(compgen -W 'exporter recorder ingest-0 ingest-1 ingest-2 ingest-3' -- "$word"); return ;;
        drain) mapfile -t COMPREPLY < <(compgen -W 'ingest-0 ingest-1 ingest-2 ingest-3' -- "$word"); return ;;
        --logging-level) mapfile -t COMPREPLY < <(compgen -W 'trace debug info warn error' -- "$word"); return ;;
        --logging-env) mapfile -t COMPREPLY < <(compgen -W 'prod dev' -- "$word"); return ;;
        --sandbox) mapfile -t COMPREPLY < <(compgen -W 'required best-effort off' -- "$word"); return ;;
        --core-dumps) mapfile -t COMPREPLY < <(compgen -W 'on off' -- "$word"); return ;;
        --log-format) mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$word"); return ;;
        --values) mapfile -t COMPREPLY < <(compgen -W 'moving fixed' -- "$word"); return ;;
        --env-file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --scope) mapfile -t COMPREPLY < <(compgen -W 'metrics read profiles' -- "$word"); return ;;
        --health-requires-auth) mapfile -t COMPREPLY < <(compgen -W 'true false' -- "$word"); return ;;
        --grpc-tls-client-auth) mapfile -t COMPREPLY < <(compgen -W 'none optional require' -- "$word"); return ;;
        --grpc-tls-*-file | --web-config-file | --http-tokens-file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --*-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        dump) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    esac
    help=$(_fodc_help "$command" "${subcommand[@]}")
    if [ -z "$help" ] && [ ${#subcommand[@]} -gt 1 ]; then
        # Not a sub-command but what one of them is given.
        help=$(_fodc_help "$command" "${subcommand[0]}")
    fi
    # Without a sub-command it is the default one.
    case $command,${#subcommand[@]} in *fodc-agentsim,0) help+=$'\n'$(_fodc_help "$command" run) ;; esac
    local flags subcommands
    flags=$(sed -nE 's/^  (-[a-z], )?(--[a-z][a-z-]*).*/\2/p' <<<"$help")
    subcommands=$(sed -n '/^SUBCOMMANDS:/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p' <<<"$help")
    case $command,${subcommand[*]} in
        *fodc-proxy,) subcommands+=' ctl' ;;
        *fodc-proxy,ctl) subcommands+=' status scale restart drain log-level reload incidents new-token' ;;
    esac
    mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "$flags $subcommands" -- "$word" | sort -u)
}

complete -F _fodc fodc-proxy fodc-ring fodc-blackbox fodc-agentsim
