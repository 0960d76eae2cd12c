using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Import;

/// <summary>
/// The folder of AutoHttps: <c>{name}-{hash}.crt.pem</c> with <c>.key.pem</c>, and <c>account-{hash}.account.pem</c>. The hashes are over
/// the directory of the CA, and over the names or the e-mail address.
/// </summary>
internal static class AutoHttpsFolder
{
    private const string Chain = ".crt.pem";
    private const string Key = ".key.pem";
    private const string Account = ".account.pem";
    private const int HashLength = 12;

    public static bool IsThere(string root)
        => Directory.EnumerateFiles(root, $"*{Chain}").Any() || Directory.EnumerateFiles(root, $"*{Account}").Any();

    public static void Read(ImportScan scan)
    {
        var accounts = scan.Files(scan.Import.Path, Account);
        foreach (var authority in scan.Authorities)
        {
            if (accounts.Find(path => IsOf(path, authority)) is { } path)
            {
                // It does not store the account URL, so the CA is asked for the account of the key.
                scan.AddAccount(path, authority.DirectoryUrl, scan.ReadText(path), url: null);
            }
            else if (accounts.Count > 0)
            {
                scan.Skip(
                    accounts[0], $"its name does not belong to the CA {authority.DisplayName} and the configured EmailAddress",
                    "Configure the e-mail address that AutoHttps used, or do without the account: a new one is registered");
            }
        }

        Uri[] directories =
        [
            .. scan.Authorities.Select(a => a.DirectoryUrl).Concat(WellKnownAuthorities.All.Select(a => a.DirectoryUrl)).Distinct(),
        ];
        foreach (var chain in scan.Files(scan.Import.Path, Chain))
        {
            var count = scan.Certificates.Count;
            scan.AddCertificate(chain, $"{chain[..^Chain.Length]}{Key}", directoryUrl: null);
            if (scan.Certificates.Count > count)
            {
                scan.Certificates[count] = WithDirectory(scan.Certificates[count], directories);
            }
        }
    }

    private static bool IsOf(string path, AuthoritySpecification authority)
        => Path.GetFileName(path) == $"account-{Hash($"{authority.DirectoryUrl.AbsoluteUri}|{authority.EmailAddress}")}{Account}";

    private static ImportedCertificate WithDirectory(ImportedCertificate imported, Uri[] directories)
    {
        var metadata = imported.Snapshot.Record.Metadata;
        var names = string.Join(',', metadata.Names.Order(StringComparer.OrdinalIgnoreCase));
        var found = Array.Find(
            directories, d => imported.Path.EndsWith($"-{Hash($"{d.AbsoluteUri}|{names}")}{Chain}", StringComparison.Ordinal));
        if (found is null)
        {
            return imported;
        }

        var record = imported.Snapshot.Record with { Metadata = metadata with { DirectoryUrl = found } };
        return imported with { Snapshot = imported.Snapshot with { Record = record } };
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..HashLength];
}
