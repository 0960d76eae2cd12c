using System.Buffers.Binary;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>What matters here of an HTTPS record (RFC 9460 section 2.2). Pure.</summary>
/// <param name="Priority">Zero for an alias.</param>
/// <param name="HasEch">Whether it has the parameter <c>ech</c> (RFC 9849).</param>
internal sealed record SvcbRecord(int Priority, bool HasEch)
{
    private const int EchKey = 5;

    /// <summary>Reads the data of a record. Somebody else may have written it.</summary>
    /// <returns><see langword="null"/> if it is malformed: clients ignore it, too.</returns>
    public static SvcbRecord? Parse(ReadOnlySpan<byte> data)
    {
        if (data.Length < 3)
        {
            return null;
        }

        var priority = BinaryPrimitives.ReadUInt16BigEndian(data);
        data = data[2..];

        // The target name is never compressed.
        while (data.Length > 0 && data[0] is > 0 and < 64 && data.Length > data[0])
        {
            data = data[(data[0] + 1)..];
        }

        if (data.Length == 0 || data[0] != 0)
        {
            return null;
        }

        data = data[1..];
        var hasEch = false;
        while (data.Length >= 4)
        {
            var (key, length) = (BinaryPrimitives.ReadUInt16BigEndian(data), BinaryPrimitives.ReadUInt16BigEndian(data[2..]));
            if (data.Length - 4 < length)
            {
                return null;
            }

            hasEch |= key == EchKey && length > 0;
            data = data[(4 + length)..];
        }

        return data.Length == 0 ? new SvcbRecord(priority, hasEch && priority > 0) : null;
    }
}
