# LWS_ADD_COMPILER_FLAG(FLAG, VARIABLE)
# Appends FLAG to the shell variable VARIABLE where the compiler knows it.
AC_DEFUN([LWS_ADD_COMPILER_FLAG], [
    AC_MSG_CHECKING([whether $CC knows $1])
    saved_CFLAGS=$CFLAGS
    # Clang only warns about flags it does not know.
    CFLAGS="-Werror $1"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
        [AC_MSG_RESULT([yes])
         $2="${$2:+$$2 }$1"],
        [AC_MSG_RESULT([no])])
    CFLAGS=$saved_CFLAGS
])

# LWS_REQUIRED_PACKAGE(PREFIX, REQUIREMENT, DEBIAN-PACKAGE)
# Sets PREFIX_CFLAGS and PREFIX_LIBS, or stops and names the package.
AC_DEFUN([LWS_REQUIRED_PACKAGE], [
    PKG_CHECK_MODULES([$1], [$2], [],
        [AC_MSG_ERROR([$2 is needed and was not found (on Debian: $3)])])
])

# LWS_OPTIONAL_PACKAGE(NAME, PREFIX, REQUIREMENT, DEBIAN-PACKAGE, WHAT-NEEDS-IT)
# Adds --with-NAME and --without-NAME. Sets PREFIX_CFLAGS, PREFIX_LIBS, have_PREFIX (yes or no),
# report_PREFIX for the summary, and the conditional HAVE_PREFIX.
AC_DEFUN([LWS_OPTIONAL_PACKAGE], [
    AC_ARG_WITH([$1],
        [AS_HELP_STRING([--without-$1], [leave out $5])],
        [], [with_$1=auto])
    have_$2=no
    AS_IF([test "x$with_$1" = xno],
        [report_$2="no (--without-$1)"],
        [PKG_CHECK_MODULES([$2], [$3],
            [have_$2=yes
             report_$2=yes],
            [AS_IF([test "x$with_$1" != xauto],
                [AC_MSG_ERROR([$3 was asked for and was not found (on Debian: $4)])])
             report_$2="no ($3 was not found; on Debian: $4)"
             AC_MSG_WARN([$3 was not found: $5 will be left out])])])
    AM_CONDITIONAL([HAVE_$2], [test "x$have_$2" = xyes])
])
