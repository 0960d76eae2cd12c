using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Binds and checks the program that is run after an export.</summary>
internal static class ExportHookReader
{
    private const string Example = "/usr/local/bin/reload-mail";

    /// <summary>Binds a section.</summary>
    public static ExportHookOptions Bind(SectionReader reader)
    {
        var hook = new ExportHookOptions();
        reader.Text(nameof(hook.Program), value => hook.Program = value);
        reader.Texts(nameof(hook.Arguments), value => hook.Arguments = value);
        reader.Texts(nameof(hook.EnvironmentVariables), value => hook.EnvironmentVariables = value);
        reader.Duration(nameof(hook.Timeout), value => hook.Timeout = value);
        return hook;
    }

    /// <summary>Returns the program, or <see langword="null"/> if there is none, or after a problem.</summary>
    public static ExportHook? Read(ExportHookOptions? options, string key, string? exportPath, ProblemList problems)
    {
        if (options is null)
        {
            return null;
        }

        var program = ScalarRules.NullIfEmpty(options.Program);
        if (program is null || !Path.IsPathFullyQualified(program))
        {
            problems.Add($"{key}:Program", program, "is not the full path of a program", $"Write a value such as '{Example}'");
        }

        if (ScalarRules.NullIfEmpty(exportPath) is null)
        {
            problems.Add(key, null, "is run after an export, and nothing is exported", "Set ExportPath, or remove it");
        }

        var variables = options.EnvironmentVariables ?? [];
        if (variables.FirstOrDefault(name => !IsName(name)) is { } wrong)
        {
            problems.Add(
                $"{key}:EnvironmentVariables", wrong, "is not the name of an environment variable",
                "List only names; their values come from the app's environment");
        }

        var timeout = ScalarRules.Duration(
            options.Timeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), $"{key}:{nameof(options.Timeout)}", problems);
        return new ExportHook(
            program ?? "", EquatableArray.From(options.Arguments ?? []), EquatableArray.From(variables), timeout!.Value);
    }

    private static bool IsName(string? name)
        => name is { Length: > 0 } && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
