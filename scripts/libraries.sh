# Sourced by the scripts that install and package: which shared libraries a program needs, and who brings them.

# The names of the libraries that a program needs and this machine has not.
missing_libraries() {
  ldd "$1" 2> /dev/null | sed -n 's/^[[:space:]]*\([^ ]*\) => not found$/\1/p'
}

# The Debian package that brings a library, by its name; on Debian 13 some of them end in t64.
library_package() {
  case $1 in
    librdkafka.so.1) library_name=librdkafka1 ;;
    libcurl.so.4) library_name=libcurl4 ;;
    libsqlite3.so.0) library_name=libsqlite3-0 ;;
    libmicrohttpd.so.12) library_name=libmicrohttpd12 ;;
    libpcre2-8.so.0) library_name=libpcre2-8-0 ;;
    libedit.so.2) library_name=libedit2 ;;
    libz.so.1) library_name=zlib1g ;;
    liblz4.so.1) library_name=liblz4-1 ;;
    libzstd.so.1) library_name=libzstd1 ;;
    libsnappy.so.1) library_name=libsnappy1v5 ;;
    libstdc++.so.6) library_name=libstdc++6 ;;
    libgcc_s.so.1) library_name=libgcc-s1 ;;
    lib*.so.*) library_name=${1%%.so.*}${1##*.so.} ;;
    *) library_name=$1 ;;
  esac
  if command -v apt-cache > /dev/null && ! apt-cache show "$library_name" > /dev/null 2>&1 \
    && apt-cache show "${library_name}t64" > /dev/null 2>&1; then
    library_name=${library_name}t64
  fi
  printf '%s\n' "$library_name"
}

# The C library's own parts, by the paths of their files: they come with every system.
# shellcheck disable=SC2034
c_library='/(ld-linux[^/]*|lib(c|m|mvec|dl|pthread|rt|resolv|util|anl|nss_[a-z]*))\.so[^/]*$'
