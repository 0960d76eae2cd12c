using System.Runtime.CompilerServices;
using KestrelAcme.Storage.Durability;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Checks whether a root folder is readable, writable and durable.</summary>
internal sealed class FileSystemCheck(StoragePaths paths, OwnerRegistration registration, Func<HostFacts> host)
{
    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public async ValueTask<StorageHealth> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var owner = await registration.GetAsync(cancellationToken);
            await FileWork.OnFolderAsync("write to", paths.Root, () => TryWriting(owner), cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            return await ReportUnwritableAsync(exception, cancellationToken);
        }

        var fault = await FileWork.OnFolderAsync("check", paths.Root, FindDurabilityFault, cancellationToken);
        return new(Readable: true, Writable: true, Durable: fault is null, paths.Root, fault);
    }

    // A root that is not writable may still be readable.
    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    private async ValueTask<StorageHealth> ReportUnwritableAsync(StorageUnavailableException exception, CancellationToken cancellationToken)
    {
        var (readable, fault) = await FileWork.OnFolderAsync(
            "check", paths.Root, () => (CanRead(), FindDurabilityFault()), cancellationToken);
        var explanation = fault is null ? exception.Message : $"{exception.Message} {fault}";
        return new(readable, Writable: false, Durable: fault is null, paths.Root, explanation);
    }

    private string? FindDurabilityFault() => DurabilityPolicy.FindFault(RealPath.Resolve(paths.Root), host());

    private bool CanRead()
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(paths.Root).Take(1).Count() >= 0;
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            return false;
        }
    }

    private bool TryWriting(StorageOwner owner)
    {
        var trial = StoragePaths.Temporary(paths.Root, owner.Id);
        try
        {
            AtomicFile.Replace(trial, "trial\n"u8, StoragePaths.Temporary(paths.Root, owner.Id));
            return true;
        }
        finally
        {
            AtomicFile.TryDelete(trial);
        }
    }
}
