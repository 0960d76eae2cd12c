using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>
/// Stores a hierarchy in one PEM file in a folder of its own that only its owner can read: the root, the intermediate, the alternate root
/// and the cross-signed root, then the keys of the first two. It is a single file so that certificates and keys always match.
/// </summary>
internal static class HierarchyFile
{
    private const string Name = "authority.pem";

    /// <summary>
    /// Reads the file from its folder, or creates both. If several processes create them at the same time, all use the
    /// first one.
    /// </summary>
    /// <exception cref="InvalidOperationException">The file cannot be read or created.</exception>
    public static Hierarchy LoadOrCreate(string folder, DateTimeOffset now, NameConstraints? constraints)
    {
        var path = Path.Combine(folder, Name);
        try
        {
            if (!File.Exists(path))
            {
                using var created = HierarchyFactory.Create(now, constraints);
                Publish(folder, Text(created));
            }

            return Read(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new InvalidOperationException(
                $"The local authority cannot read or create its root in '{path}': {e.Message} "
                + $"Delete the folder '{folder}' to get a new root, or set another Folder.",
                e);
        }
    }

    private static string Text(Hierarchy hierarchy)
    {
        var text = new StringBuilder();
        X509Certificate2[] certificates = [hierarchy.Root, hierarchy.Intermediate, hierarchy.AlternateRoot, hierarchy.CrossSignedRoot];
        foreach (var certificate in certificates)
        {
            text.Append(certificate.ExportCertificatePem()).Append('\n');
        }

        text.Append(hierarchy.RootKey.ExportPkcs8PrivateKeyPem()).Append('\n');
        return text.Append(hierarchy.IntermediateKey.ExportPkcs8PrivateKeyPem()).Append('\n').ToString();
    }

    // A folder is moved into place because that fails on every system if the target exists. Moving a file would replace it on Unix.
    private static void Publish(string folder, string text)
    {
        var temporary = $"{folder}.{ResourceId.Create()}.tmp";
        PrivateFolder.Create(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(Path.Combine(temporary, Name), options))
        {
            file.Write(Encoding.ASCII.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        try
        {
            Directory.Move(temporary, folder);
        }
        catch (IOException) when (File.Exists(Path.Combine(folder, Name)))
        {
            Directory.Delete(temporary, recursive: true);
        }
    }

    private static Hierarchy Read(string text)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(text);
        if (certificates.Count != 4)
        {
            throw new CryptographicException("It does not hold four certificates.");
        }

        var keys = new List<ECDsa>();
        var rest = text.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            if (rest[fields.Label] is "PRIVATE KEY")
            {
                var key = ECDsa.Create();
                key.ImportFromPem(rest[fields.Location]);
                keys.Add(key);
            }

            rest = rest[fields.Location.End..];
        }

        return keys is [var rootKey, var intermediateKey]
            ? new Hierarchy
            {
                Root = certificates[0],
                Intermediate = certificates[1],
                AlternateRoot = certificates[2],
                CrossSignedRoot = certificates[3],
                RootKey = rootKey,
                IntermediateKey = intermediateKey,
            }
            : throw new CryptographicException("It does not hold two private keys.");
    }
}

/// <summary>The URLs of the files that certificates refer to: over plain HTTP, as is usual for CRLs.</summary>
internal sealed record AuthorityFiles(string Base)
{
    public const string RevocationListName = "intermediate.crl";
    public const string IssuerName = "intermediate.der";

    public string RevocationListUrl => $"{Base}/crl/{RevocationListName}";

    public string IssuerUrl => $"{Base}/issuer/{IssuerName}";
}
