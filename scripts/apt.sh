# Sourced by the scripts beside it: installing Debian packages.

# apt_install WHAT PACKAGE...: install packages as root or by sudo, or say in a sentence that WHAT is missing.
apt_install() {
    local what=$1 as_root=()
    shift
    if [[ $EUID -ne 0 ]]; then
        as_root=(sudo)
    fi
    if ! command -v apt-get >/dev/null || { [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; }; then
        echo "$what is missing; install it (Debian: apt-get install $*) and run this again" >&2
        exit 1
    fi
    echo "installing $* for $what" >&2
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}
