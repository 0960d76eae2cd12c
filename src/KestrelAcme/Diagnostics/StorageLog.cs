using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>The log messages of the storage. Event IDs 1400 to 1499.</summary>
internal static partial class StorageLog
{
    [LoggerMessage(1400, LogLevel.Warning,
        "'{Path}' may hold a private key and can be read by other users of this machine (mode {Mode}). Run: chmod 600 '{Path}'",
        EventName = nameof(FileReadableByOthers))]
    public static partial void FileReadableByOthers(this ILogger logger, Quoted path, Quoted mode);

    [LoggerMessage(1401, LogLevel.Warning,
        "Other users can read more files below '{Root}' than are listed here. Run: find '{Root}' -type f -exec chmod 600 {{}} +",
        EventName = nameof(MoreFilesReadableByOthers))]
    public static partial void MoreFilesReadableByOthers(this ILogger logger, Quoted root);

    [LoggerMessage(1402, LogLevel.Warning,
        "The file system of '{Root}' does not support file locks: "
        + "the lease of a crashed instance can be acquired only after it has expired. "
        + "If instances share the folder, all must run a version that needs no file locks for its leases.",
        EventName = nameof(FileLocksDoNotWork))]
    public static partial void FileLocksDoNotWork(this ILogger logger, Quoted root);

    [LoggerMessage(1403, LogLevel.Warning,
        "The record of lease '{Name}' is damaged ({Reason}). It was moved to '{Path}', and the lease can be acquired again.",
        EventName = nameof(LeaseRecordDamaged))]
    public static partial void LeaseRecordDamaged(this ILogger logger, Quoted name, Quoted reason, Quoted path);

    [LoggerMessage(1404, LogLevel.Information,
        "The holder of lease '{Name}' (process {ProcessId} on {Host}) has died. This instance took the lease over.",
        EventName = nameof(LeaseTakenOver))]
    public static partial void LeaseTakenOver(this ILogger logger, Quoted name, int processId, Quoted host);

    [LoggerMessage(1405, LogLevel.Warning,
        "Lease '{Name}' could not be released. Others can acquire it when it expires: {Reason}",
        EventName = nameof(LeaseNotGivenBack))]
    public static partial void LeaseNotGivenBack(this ILogger logger, Quoted name, Quoted reason);

    [LoggerMessage(1406, LogLevel.Debug,
        "Removed {Count} temporary files below '{Root}' from processes that no longer run.",
        EventName = nameof(LeftoversRemoved))]
    public static partial void LeftoversRemoved(this ILogger logger, int count, Quoted root);

    public static void LeftoversKept(this ILogger logger, Exception exception, Quoted root)
        => logger.LeftoversKeptQuoted(QuotedException.Of(exception), root);

    [LoggerMessage(1407, LogLevel.Debug,
        "Temporary files of earlier runs below '{Root}' could not be removed. They do no harm.",
        EventName = nameof(LeftoversKept))]
    private static partial void LeftoversKeptQuoted(this ILogger logger, Exception exception, Quoted root);

    [LoggerMessage(1408, LogLevel.Information,
        "The operating system does not report changes below '{Folder}' ({Reason}). KestrelAcme scans it every {Seconds} s instead.",
        EventName = nameof(WatchingByScan))]
    public static partial void WatchingByScan(this ILogger logger, Quoted folder, Quoted reason, double seconds);

    [LoggerMessage(1409, LogLevel.Warning,
        "'{Folder}' could not be scanned for changes. KestrelAcme retries until it succeeds: {Reason}",
        EventName = nameof(ScanFailed))]
    public static partial void ScanFailed(this ILogger logger, Quoted folder, Quoted reason);

    [LoggerMessage(1410, LogLevel.Error,
        "The value of '{Key}' is damaged ({Reason}). It was moved to '{DamagedKey}' and counts as missing.",
        EventName = nameof(ValueSetAside))]
    public static partial void ValueSetAside(this ILogger logger, Quoted key, Quoted reason, Quoted damagedKey);

    [LoggerMessage(1411, LogLevel.Error,
        "The value of '{Key}' is damaged ({Reason}) and was left in place, because {Count} damaged values of this key are kept already. "
        + "Inspect and delete them.",
        EventName = nameof(TooManyDamagedValues))]
    public static partial void TooManyDamagedValues(this ILogger logger, Quoted key, Quoted reason, int count);

    [LoggerMessage(1412, LogLevel.Warning,
        "The content of '{Root}' is gone. KestrelAcme continues with an empty store.",
        EventName = nameof(StoreWasEmptied))]
    public static partial void StoreWasEmptied(this ILogger logger, Quoted root);

    [LoggerMessage(1413, LogLevel.Debug,
        "Exported the certificate of '{Name}' to '{Path}'.",
        EventName = nameof(CertificateExported))]
    public static partial void CertificateExported(this ILogger logger, Quoted name, Quoted path);

    [LoggerMessage(1414, LogLevel.Warning,
        "An older version of an exported certificate and its private key could not be removed from '{Path}': {Reason}",
        EventName = nameof(OldExportKept))]
    public static partial void OldExportKept(this ILogger logger, Quoted path, Quoted reason);

    [LoggerMessage(1415, LogLevel.Debug,
        "{Count} values could not be read together. KestrelAcme reads them one by one: {Reason}",
        EventName = nameof(BatchNotRead))]
    public static partial void BatchNotRead(this ILogger logger, int count, Quoted reason);

    [LoggerMessage(1416, LogLevel.Error,
        "The value of '{Key}' could not be read and is ignored for now: {Reason}",
        EventName = nameof(ValueUnreadable))]
    public static partial void ValueUnreadable(this ILogger logger, Quoted key, Quoted reason);

    [LoggerMessage(1417, LogLevel.Error,
        "The value of '{Key}' is damaged ({Reason}), but could not be set aside and was left in place: {Obstacle}",
        EventName = nameof(DamageNotSetAside))]
    public static partial void DamageNotSetAside(this ILogger logger, Quoted key, Quoted reason, Quoted obstacle);

    [LoggerMessage(1418, LogLevel.Error,
        "{Count} values could not be read; not all of them are listed here.",
        EventName = nameof(MoreValuesUnreadable))]
    public static partial void MoreValuesUnreadable(this ILogger logger, int count);

    [LoggerMessage(1419, LogLevel.Information,
        "'{Folder}' cannot be read ({Reason}) and is skipped. KestrelAcme stores nothing in it.",
        EventName = nameof(FolderPassedOver))]
    public static partial void FolderPassedOver(this ILogger logger, Quoted folder, Quoted reason);

    [LoggerMessage(1420, LogLevel.Warning,
        "The data stored with the certificate in '{Key}' is damaged ({Reason}), but its chain and its key match. "
        + "The certificate is served, and the rest was rebuilt from it.",
        EventName = nameof(CertificateRepaired))]
    public static partial void CertificateRepaired(this ILogger logger, Quoted key, Quoted reason);

    [LoggerMessage(1421, LogLevel.Error,
        "{Count} values in the store are damaged, and there may be more. "
        + "KestrelAcme serves what it can still read, and orders nothing for it. "
        + "Find out what else writes to the store: the disk, a synchronization, a script.",
        EventName = nameof(ManyValuesDamaged))]
    public static partial void ManyValuesDamaged(this ILogger logger, int count);

    [LoggerMessage(1422, LogLevel.Information,
        "Another program deleted the files of running instances below '{Root}'. This instance restored its own.",
        EventName = nameof(OwnerRestored))]
    public static partial void OwnerRestored(this ILogger logger, Quoted root);

    [LoggerMessage(1423, LogLevel.Warning,
        "Other users of this machine could write to '{Folder}' (mode {Mode}) and replace certificates and keys. "
        + "KestrelAcme changed its mode to {NewMode}.",
        EventName = nameof(FolderTightened))]
    public static partial void FolderTightened(this ILogger logger, Quoted folder, Quoted mode, Quoted newMode);

    [LoggerMessage(1424, LogLevel.Warning,
        "Every user of this machine can write to '{Folder}' (mode {Mode}) and replace certificates and keys. "
        + "Run: chmod o-w '{Folder}', or mount the volume with other permissions.",
        EventName = nameof(FolderWritableByOthers))]
    public static partial void FolderWritableByOthers(this ILogger logger, Quoted folder, Quoted mode);

    [LoggerMessage(1425, LogLevel.Warning,
        "'{Folder}' belongs to another user (id {Owner}), who could replace certificates and keys. "
        + "Give it to the user that the app runs as (chown).",
        EventName = nameof(StoreOfAnotherUser))]
    public static partial void StoreOfAnotherUser(this ILogger logger, Quoted folder, uint owner);

    [LoggerMessage(1426, LogLevel.Warning,
        "Another program deleted the record of lease '{Name}' while it was held. KestrelAcme restored it. "
        + "Exclude the store from clean-up programs.",
        EventName = nameof(LeaseRestored))]
    public static partial void LeaseRestored(this ILogger logger, Quoted name);

    [LoggerMessage(1427, LogLevel.Warning,
        "Another process has kept '{Path}' open for more than {Seconds} s. KestrelAcme continues without it. "
        + "Find the process (lsof '{Path}') and check whether it hangs or is stopped.",
        EventName = nameof(LockNotFree))]
    public static partial void LockNotFree(this ILogger logger, Quoted path, double seconds);

    [LoggerMessage(1428, LogLevel.Information,
        "Encrypted the private keys in {Count} values of the store with '{Protector}'. "
        + "Backups and snapshots from before still contain them.",
        EventName = nameof(KeysEncrypted))]
    public static partial void KeysEncrypted(this ILogger logger, int count, Quoted protector);

    [LoggerMessage(1429, LogLevel.Information,
        "Decrypted the private keys in {Count} values of the store, because AcmeHttps:ProtectKeys is false.",
        EventName = nameof(KeysDecrypted))]
    public static partial void KeysDecrypted(this ILogger logger, int count);

    [LoggerMessage(1430, LogLevel.Error,
        "{Count} values of the store with private keys cannot be read. They are left as they are, and nothing is ordered in their place. "
        + "The first one: {Reason}",
        EventName = nameof(KeysNotDecrypted))]
    public static partial void KeysNotDecrypted(this ILogger logger, int count, Quoted reason);

    [LoggerMessage(1431, LogLevel.Warning,
        "Data Protection encrypts the private keys in the store, but its key ring is in the default place of this machine or container. "
        + "If the key ring is lost, they are lost, too. Persist it: AddDataProtection().PersistKeysToFileSystem(...), or another store. "
        + "Until then, keys that are stored already stay as they are.",
        EventName = nameof(KeyRingInDefaultPlace))]
    public static partial void KeyRingInDefaultPlace(this ILogger logger);

    [LoggerMessage(1432, LogLevel.Warning,
        "Data Protection encrypts the private keys in the store, but the app has no fixed name for it: "
        + "from another folder, or in another app, they cannot be decrypted. Set it: AddDataProtection().SetApplicationName(\"...\").",
        EventName = nameof(KeyRingWithoutName))]
    public static partial void KeyRingWithoutName(this ILogger logger);

    [LoggerMessage(1433, LogLevel.Warning,
        "AccountKeyFile is not used at {DirectoryUrl}, because the store has an account with another key ({AccountUrl}). "
        + "Remove the option, or delete the account from the store.",
        EventName = nameof(AccountKeyFileNotUsed))]
    public static partial void AccountKeyFileNotUsed(this ILogger logger, Quoted directoryUrl, Quoted accountUrl);

    [LoggerMessage(1434, LogLevel.Error, "{Certificate}: the ExportHook {Program} {Failure}", EventName = nameof(ExportHookFailed))]
    public static partial void ExportHookFailed(this ILogger logger, Quoted program, Quoted certificate, Quoted failure);

    [LoggerMessage(1435, LogLevel.Information,
        "{Certificate}: the ExportHook {Program} ended after {Seconds:0.0} s. It wrote: {Written}",
        EventName = nameof(ExportHookRan))]
    public static partial void ExportHookRan(this ILogger logger, Quoted program, Quoted certificate, double seconds, Quoted written);
}
