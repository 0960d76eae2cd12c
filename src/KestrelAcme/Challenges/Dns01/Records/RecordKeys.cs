using System.Security.Cryptography;
using System.Text;

namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>Where records, their owners and the locks of their names are in the store. Pure.</summary>
internal static class RecordKeys
{
    /// <summary>Below it: a folder for each value of each name, and in it a file for each instance that needs the value.</summary>
    public const string RecordsPrefix = "challenges/dns-01/records/";

    public static string Folder(DnsTxtRecord record) => $"{RecordsPrefix}{Hash($"{record.Name} {record.Value}")}/";

    public static string Entry(DnsTxtRecord record, string owner) => Folder(record) + owner;

    public static string OwnerOf(string entryKey) => entryKey[(entryKey.LastIndexOf('/') + 1)..];

    public static string OwnerLease(string owner) => $"challenges/dns-01/owners/{owner}";

    public static string NameLease(string name) => $"challenges/dns-01/names/{Hash(name)}";

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
