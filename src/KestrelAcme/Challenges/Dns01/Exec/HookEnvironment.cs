using System.Collections;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>
/// The environment variables of a program: what it needs to run and what the configuration lists, but none of the app's secrets. Pure.
/// </summary>
internal static class HookEnvironment
{
    // On Windows, programs need these variables to load libraries and to find the user's folders.
    private static readonly HashSet<string> Basic = new(
        [
            "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TMPDIR", "TZ",
            .. OperatingSystem.IsWindows()
                ? new[]
                {
                    "SystemRoot", "SystemDrive", "windir", "ComSpec", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "USERNAME", "APPDATA",
                    "LOCALAPPDATA",
                    "ProgramData", "ProgramFiles", "ProgramFiles(x86)", "PSModulePath", "PROCESSOR_ARCHITECTURE", "NUMBER_OF_PROCESSORS",
                }
                : [],
        ],
        Comparer);

    private static StringComparer Comparer => OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;

    /// <summary>Splits the value of <see cref="ExecOptions.EnvironmentVariables"/> into names.</summary>
    public static string[] Names(string? text)
        => (text ?? "").Split([',', ' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Returns what is wrong with a list of names, or <see langword="null"/>.</summary>
    public static string? CheckNames(string text)
    {
        static bool IsName(string name) => !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
        if (Names(text).FirstOrDefault(name => !IsName(name)) is not { } wrong)
        {
            return null;
        }

        return wrong.Contains('=')
            ? "contains '=': list only names; their values come from the app's environment"
            : "is not a list of names of environment variables, which consist of letters, digits and underscores";
    }

    /// <summary>Returns the variables for one run.</summary>
    public static Dictionary<string, string> Of(IDictionary all, IReadOnlyCollection<string> passed)
    {
        var wanted = new HashSet<string>(passed, Comparer);
        var environment = new Dictionary<string, string>(Comparer);
        foreach (DictionaryEntry variable in all)
        {
            var name = (string)variable.Key;
            if (variable.Value is string value
                && (wanted.Contains(name) || Basic.Contains(name) || name.StartsWith("LC_", StringComparison.Ordinal)))
            {
                environment[name] = value;
            }
        }

        // These describe the app's sockets, which the program does not get.
        foreach (var name in new[] { "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES" })
        {
            environment.Remove(name);
        }

        return environment;
    }
}
