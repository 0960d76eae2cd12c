using KestrelAcme.Storage;

namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>The storage keys of records, their owners and the locks of their names. Pure.</summary>
internal static class RecordKeys
{
    /// <summary>Contains a folder for each value of each name, and in it a key for each instance that needs the value.</summary>
    public const string RecordsPrefix = "challenges/dns-01/records/";

    /// <summary>
    /// The timeout of the store for changes of records. Challenges work without the store, and a clean-up has 30 seconds: for the lock of
    /// the name, for the notes of others, and for the provider, which matters most.
    /// </summary>
    public static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(8);

    public static string Folder(DnsTxtRecord record) => $"{RecordsPrefix}{StorageKey.Hash($"{record.Name} {record.Value}")}/";

    public static string Entry(DnsTxtRecord record, string owner) => Folder(record) + owner;

    public static string OwnerOf(string entryKey) => entryKey[(entryKey.LastIndexOf('/') + 1)..];

    public static string OwnerLease(string owner) => $"challenges/dns-01/owners/{owner}";

    public static string NameLease(string name) => $"challenges/dns-01/names/{StorageKey.Hash(name)}";
}
