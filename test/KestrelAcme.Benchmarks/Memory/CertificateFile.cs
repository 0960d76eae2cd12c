using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;

namespace KestrelAcme.Benchmarks.Memory;

/// <summary>Many certificates in one file, so that reading them leaves no traces in the working set that is measured.</summary>
internal static class CertificateFile
{
    public static string Name(int i) => $"m{i}.test";

    public static void Write(string path, int count)
    {
        var authority = new TestAuthority();
        var materials = new CertificateMaterial[count];
        Parallel.For(0, count, i => materials[i] = authority.Issue(Name(i)));
        using var writer = new BinaryWriter(File.Create(path));
        foreach (var material in materials)
        {
            Write(writer, material.Chain[0]);
            Write(writer, material.Chain[1]);
            Write(writer, material.PrivateKey);
        }
    }

    public static IReadOnlyList<CertificateMaterial> Read(string path, int count)
    {
        using var reader = new BinaryReader(File.OpenRead(path));
        var now = TimeProvider.System.GetUtcNow();
        var materials = new CertificateMaterial[count];
        for (var i = 0; i < count; i++)
        {
            materials[i] = new CertificateMaterial(
                Name(i), [Name(i)], [Read(reader), Read(reader)], Read(reader), now.AddDays(-1), now.AddDays(89));
        }

        return materials;
    }

    private static void Write(BinaryWriter writer, ReadOnlyMemory<byte> bytes)
    {
        writer.Write(bytes.Length);
        writer.Write(bytes.Span);
    }

    private static ReadOnlyMemory<byte> Read(BinaryReader reader) => reader.ReadBytes(reader.ReadInt32());
}
