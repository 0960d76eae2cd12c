using System.Text;
using Azure;
using Azure.Storage.Blobs.Models;

namespace KestrelAcme.Azure.Storage.Blobs;

/// <summary>
/// The append blob to which all instances append their changes, a line for each. It takes lines without conditions, and its length tells
/// whether there are new ones. It starts again after 10,000 entries, with a new generation. Thread-safe.
/// </summary>
internal sealed class ChangeBlob(BlobContainer container)
{
    private const int MaxBlocks = 10_000;
    private const int Attempts = 3;
    private const string Generation = "generation";
    private const string First = "first";

    /// <summary>Asks where the log ends: one small request.</summary>
    public async Task<ChangePosition> LookAsync(CancellationToken cancellationToken) => await container.SendAsync(
        "looking for changes",
        async token =>
        {
            try
            {
                var properties = (await container.Log(BlobNames.Changes).GetPropertiesAsync(cancellationToken: token)).Value;
                var generation = properties.Metadata.TryGetValue(Generation, out var value) ? value : "";
                return new ChangePosition(generation, properties.ContentLength, properties.Metadata.ContainsKey(First));
            }
            catch (RequestFailedException exception) when (BlobContainer.IsMissing(exception))
            {
                return new ChangePosition("", 0, IsFirst: false);
            }
        },
        cancellationToken);

    /// <summary>Reads the lines between two positions.</summary>
    public async Task<string[]> ReadAsync(ChangePosition from, ChangePosition to, CancellationToken cancellationToken)
    {
        var text = await container.SendAsync(
            "reading changes",
            async token =>
            {
                var options = new BlobDownloadOptions { Range = new HttpRange(from.Length, to.Length - from.Length) };
                return (await container.Log(BlobNames.Changes).DownloadContentAsync(options, token)).Value.Content.ToString();
            },
            cancellationToken);
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Appends lines.</summary>
    public Task<bool> AppendAsync(string lines, CancellationToken cancellationToken) => container.SendAsync(
        "announcing a change",
        async token =>
        {
            var log = container.Log(BlobNames.Changes);
            for (var attempt = 0; ; attempt++)
            {
                try
                {
                    using var content = new MemoryStream(Encoding.UTF8.GetBytes(lines));
                    var info = (await log.AppendBlockAsync(content, cancellationToken: token)).Value;
                    if (info.BlobCommittedBlockCount >= MaxBlocks)
                    {
                        await RestartAsync(new() { IfMatch = info.ETag }, isFirst: false, token);
                    }

                    return true;
                }
                catch (RequestFailedException exception) when (attempt < Attempts && BlobContainer.IsMissing(exception))
                {
                    await RestartAsync(new() { IfNoneMatch = ETag.All }, isFirst: true, token);
                }
            }
        },
        cancellationToken);

    private async Task RestartAsync(AppendBlobRequestConditions conditions, bool isFirst, CancellationToken cancellationToken)
    {
        try
        {
            var metadata = new Dictionary<string, string> { [Generation] = Guid.NewGuid().ToString("N") };
            if (isFirst)
            {
                metadata[First] = "true";
            }

            var options = new AppendBlobCreateOptions { Conditions = conditions, Metadata = metadata };
            await container.Log(BlobNames.Changes).CreateAsync(options, cancellationToken);
        }
        catch (RequestFailedException exception) when (BlobContainer.IsConflict(exception))
        {
            // Another instance has restarted it, or has written more.
        }
    }
}

/// <summary>Where an instance has read the log to.</summary>
/// <param name="Generation">The log's generation; empty if there is no log.</param>
/// <param name="Length">The length, in bytes.</param>
/// <param name="IsFirst">Whether there was no log before this one.</param>
internal sealed record ChangePosition(string Generation, long Length, bool IsFirst)
{
    private const long MaxRead = 4 * 1024 * 1024;

    /// <summary>Whether the lines after <paramref name="last"/> are all that has changed since.</summary>
    public bool Continues(ChangePosition last)
        => (Generation == last.Generation || (IsFirst && last.Generation.Length == 0)) && Length - last.Length is >= 0 and <= MaxRead;
}
