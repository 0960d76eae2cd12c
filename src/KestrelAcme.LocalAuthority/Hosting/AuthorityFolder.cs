using KestrelAcme.LocalAuthority.Certificates;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.LocalAuthority.Revocation;

namespace KestrelAcme.LocalAuthority.Hosting;

/// <summary>The CA's files: the stored root and revocations, or only the root certificate in a temporary file.</summary>
internal sealed class AuthorityFolder : IDisposable
{
    private const string DefaultName = "kestrel-acme-local-authority";

    private readonly bool _temporary;

    private AuthorityFolder(Hierarchy hierarchy, RevocationLedger revocations, string rootPemPath, bool temporary)
    {
        Hierarchy = hierarchy;
        Revocations = revocations;
        RootPemPath = rootPemPath;
        _temporary = temporary;
        WriteRoot();
    }

    public Hierarchy Hierarchy { get; }

    public RevocationLedger Revocations { get; }

    public string RootPemPath { get; }

    /// <summary>Whether the root is kept for the next start.</summary>
    public bool IsKept => !_temporary;

    public static AuthorityFolder InMemory(DateTimeOffset now) => new(
        HierarchyFactory.Create(now, constraints: null),
        new RevocationLedger(path: null),
        Path.Combine(Path.GetTempPath(), $"kestrel-acme-root-{ResourceId.Create()}.pem"),
        temporary: true);

    /// <param name="folder">The folder; <see langword="null"/> for the one in the user's data.</param>
    /// <param name="now">The authority's clock.</param>
    /// <param name="constraints">What a new root may issue for. An existing root is used unchanged.</param>
    public static AuthorityFolder Open(string? folder, DateTimeOffset now, NameConstraints? constraints)
    {
        const Environment.SpecialFolder data = Environment.SpecialFolder.LocalApplicationData;
        folder ??= DefaultPath(Environment.GetFolderPath(data, Environment.SpecialFolderOption.DoNotVerify));
        if (folder is null)
        {
            return InMemory(now);
        }

        folder = Path.GetFullPath(folder);
        PrivateFolder.Create(folder);
        PrivateFolder.ThrowIfOthersMayWrite(folder);
        return new AuthorityFolder(
            HierarchyFile.LoadOrCreate(Path.Combine(folder, "keys"), now, constraints),
            new RevocationLedger(Path.Combine(folder, "revocations.json")),
            Path.Combine(folder, "root.pem"),
            temporary: false);
    }

    public void Dispose()
    {
        Hierarchy.Dispose();
        if (_temporary)
        {
            File.Delete(RootPemPath);
        }
    }

    /// <summary>
    /// Returns the folder in the user's application data; <see langword="null"/> for a user without a home. A predictable folder in the
    /// temporary directory could be created in advance by somebody else, with a root of their own.
    /// </summary>
    internal static string? DefaultPath(string applicationData) =>
        applicationData.Length > 0 ? Path.Combine(applicationData, DefaultName) : null;

    private void WriteRoot()
    {
        var pem = Hierarchy.Root.ExportCertificatePem() + "\n";
        if (!File.Exists(RootPemPath) || File.ReadAllText(RootPemPath) != pem)
        {
            var temporary = $"{RootPemPath}.{ResourceId.Create()}.tmp";
            File.WriteAllText(temporary, pem);
            File.Move(temporary, RootPemPath, overwrite: true);
        }
    }
}
