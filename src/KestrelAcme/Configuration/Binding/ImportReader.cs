using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Binding;

/// <summary>
/// Binds and checks the folders to import. Whether they exist is found out when they are read: after a move they may be gone, and that must
/// not stop the start.
/// </summary>
internal static class ImportReader
{
    /// <summary>Binds an element of the list.</summary>
    public static ImportOptions Bind(SectionReader reader)
    {
        var import = new ImportOptions();
        reader.Text(nameof(import.Path), value => import.Path = value);
        reader.Choice<ImportKind>(nameof(import.Kind), value => import.Kind = value);
        reader.Text(nameof(import.Password), value => import.Password = value);
        reader.Text(nameof(import.PasswordFile), value => import.PasswordFile = value);
        return import;
    }

    /// <summary>Reads all folders.</summary>
    public static EquatableArray<ImportSpecification> Read(AcmeHttpsOptions options, EnvironmentFacts facts, ProblemList problems)
    {
        var list = options.ImportFrom ?? [];
        var imports = new List<ImportSpecification>(list.Count);
        for (var i = 0; i < list.Count; i++)
        {
            if (ReadOne(list[i] ?? new ImportOptions(), $"{nameof(options.ImportFrom)}:{i}", facts, problems) is { } import)
            {
                imports.Add(import);
            }
        }

        return EquatableArray.From(imports);
    }

    private static ImportSpecification? ReadOne(ImportOptions import, string key, EnvironmentFacts facts, ProblemList problems)
    {
        if (import.Kind is { } kind)
        {
            ScalarRules.Defined(kind, $"{key}:{nameof(import.Kind)}", problems);
        }

        var password = ScalarRules.NullIfEmpty(import.Password) is null ? null : import.Password;
        var passwordPath = PathRules.Resolve(import.PasswordFile, $"{key}:{nameof(import.PasswordFile)}", facts, problems, isSecret: true);
        if (password is not null && passwordPath is not null)
        {
            problems.Add(
                $"{key}:{nameof(import.PasswordFile)}", null, $"is set in addition to {nameof(import.Password)}", "Remove one of them");
        }

        if (ScalarRules.NullIfEmpty(import.Path) is null)
        {
            problems.Add(
                $"{key}:{nameof(import.Path)}", null, "is missing", "Write the folder of the other client, such as '/etc/letsencrypt'");
            return null;
        }

        return PathRules.Resolve(import.Path, $"{key}:{nameof(import.Path)}", facts, problems) is { } path
            ? new ImportSpecification(path, import.Kind, password, passwordPath)
            : null;
    }
}
