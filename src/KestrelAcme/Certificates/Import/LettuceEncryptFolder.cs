using System.IO.Enumeration;
using System.Security.Cryptography;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration;

namespace KestrelAcme.Certificates.Import;

/// <summary>
/// The folder of LettuceEncrypt: <c>certs/{thumbprint}.pfx</c>, and <c>accounts/{host}/{path}/{id}.json</c>. A folder of PFX files, such as
/// a certificate store of .NET on Linux, is read in the same way.
/// </summary>
internal static class LettuceEncryptFolder
{
    private const string Accounts = "accounts";
    private const string Certificates = "certs";
    private const string Ending = ".pfx";

    public static bool IsThere(string root)
        => HasFiles(Path.Combine(root, Certificates)) || HasFiles(root) || Directory.Exists(Path.Combine(root, Accounts));

    public static void Read(ImportScan scan)
    {
        var root = scan.Import.Path;
        foreach (var directory in scan.Authorities.Select(a => a.DirectoryUrl).Distinct())
        {
            var folder = Path.Combine(root, Accounts, directory.Authority, directory.AbsolutePath.Trim('/'));

            // It does not store the account URL, so the CA is asked for the account of the key.
            foreach (var path in scan.Files(folder, ".json"))
            {
                if (scan.ReadJson(path) is { } account)
                {
                    scan.AddAccount(path, directory, ImportedKeys.PemOfDer(ForeignJson.Text(account, "privateKey")), url: null);
                }
            }
        }

        // Nor does it store which CA issued a certificate. The names of its issuers tell those of the staging service.
        var production = FindDirectories(Path.Combine(root, Accounts)).FindAll(d => !WellKnownAuthorities.IsStaging(d));
        var password = ReadPassword(scan);
        foreach (var path in scan.Files(Path.Combine(root, Certificates), Ending).Concat(scan.Files(root, Ending)))
        {
            ReadCertificate(scan, path, password, production.Count == 1 ? production[0] : null);
        }
    }

    private static void ReadCertificate(ImportScan scan, string path, string? password, Uri? directory)
    {
        if (scan.Read(path) is not { } content)
        {
            return;
        }

        try
        {
            var (certificates, key) = ImportedKeys.ReadPfx(content, password);
            if (!scan.IsWanted(path, certificates))
            {
                return;
            }

            if (key is null)
            {
                scan.Skip(path, "it holds no private key", ImportFiles.Restore);
                return;
            }

            scan.AddCertificate(path, certificates, key, directory);
        }
        catch (CryptographicException)
        {
            // The system's message depends on the platform, and says no more.
            scan.Skip(
                path,
                password is null ? "it is damaged or has a password" : "it is damaged or has another password",
                "Set Password or PasswordFile of this entry of ImportFrom to the password that PersistDataToDirectory was called with");
        }
    }

    private static string? ReadPassword(ImportScan scan)
    {
        if (scan.Import.PasswordPath is not { } path)
        {
            return scan.Import.Password;
        }

        var before = scan.Problems.Count;
        var text = scan.ReadText(path)?.TrimEnd('\r', '\n');
        if (text is null && scan.Problems.Count == before)
        {
            scan.Skip(path, "the file with the password does not exist", "Correct PasswordFile, or remove it");
        }

        return text;
    }

    // The path of an account's file is that of the directory of its CA. Links are not followed: one to a folder above has no end.
    private static List<Uri> FindDirectories(string accounts)
    {
        try
        {
            return Directory.Exists(accounts)
                ? [
                    .. FoldersWithAccounts(accounts).Take(1000).Distinct(StringComparer.Ordinal)
                        .Select(folder => Path.GetRelativePath(accounts, folder))
                        .Select(path => ImportedKeys.UrlOf($"https://{path.Replace(Path.DirectorySeparatorChar, '/')}"))
                        .OfType<Uri>(),
                ]
                : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A folder that may be read is reported when its accounts are read; another one says nothing.
            return [];
        }
    }

    private static FileSystemEnumerable<string> FoldersWithAccounts(string root) => new(
        root,
        static (ref FileSystemEntry file) => file.Directory.ToString(),
        new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
    {
        ShouldIncludePredicate = static (ref FileSystemEntry file)
            => !file.IsDirectory && file.FileName.EndsWith(".json", StringComparison.OrdinalIgnoreCase),
        ShouldRecursePredicate = static (ref FileSystemEntry folder) => !folder.Attributes.HasFlag(FileAttributes.ReparsePoint),
    };

    private static bool HasFiles(string folder) => Directory.Exists(folder) && Directory.EnumerateFiles(folder, $"*{Ending}").Any();
}
