using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;

namespace KestrelAcme.Tests.EndToEnd.Crash;

/// <summary>What is in a store's folder, read file by file without the store's own code.</summary>
internal sealed record StoreContent(
    IReadOnlyList<string> Files,
    IReadOnlyList<CertificateRecord> Certificates,
    IReadOnlyList<CertificateStateRecord> States,
    IReadOnlyList<AccountRecord> Accounts)
{
    public IEnumerable<string> Damaged => Files.Where(f => f.Contains(".damaged", StringComparison.Ordinal));

    public static IReadOnlyList<string> TemporaryFiles(string root) => [.. Paths(root).Where(IsTemporary)];

    /// <exception cref="DamagedValueException">A file is not what its place says.</exception>
    public static StoreContent Read(string root)
    {
        var files = Paths(root).ToList();
        return new StoreContent(
            files,
            [.. Below(root, files, "certificates/").Select(b => CertificateFile.Decode(b, new SharedParts()))],
            [.. Below(root, files, "states/").Select(b => StateFile.Decode(b))],
            [.. Below(root, files, "accounts/").Select(b => AccountFile.Decode(b))]);
    }

    private static IEnumerable<string> Paths(string root)
        => Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(root, f));

    private static bool IsTemporary(string path) => path.EndsWith(".tmp", StringComparison.Ordinal);

    private static IEnumerable<byte[]> Below(string root, IEnumerable<string> files, string folder)
        => files.Where(f => f.StartsWith(folder, StringComparison.Ordinal) && !IsTemporary(f))
            .Select(f => File.ReadAllBytes(Path.Join(root, f)));
}
