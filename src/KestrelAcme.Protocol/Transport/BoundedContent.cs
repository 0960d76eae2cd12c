using System.Buffers;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Reads the content of a response up to a limit.</summary>
internal static class BoundedContent
{
    /// <summary>The maximum size of a response, in bytes.</summary>
    public const int MaxLength = 1024 * 1024;

    /// <summary>Reads the whole content.</summary>
    /// <returns><see langword="null"/> if the content exceeds the limit.</returns>
    public static async Task<byte[]?> ReadAsync(HttpContent content, int maxLength, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength > maxLength)
        {
            return null;
        }

        var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var buffer = new ArrayBufferWriter<byte>();
            while (true)
            {
                var read = await stream.ReadAsync(buffer.GetMemory(4096), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    return buffer.WrittenSpan.ToArray();
                }

                buffer.Advance(read);
                if (buffer.WrittenCount > maxLength)
                {
                    return null;
                }
            }
        }
    }
}
