using KestrelAcme.Fuzz;
using SharpFuzz;

switch (args)
{
    case ["list"]:
        foreach (var target in FuzzTargets.All)
        {
            Console.WriteLine(target.Name);
        }

        return 0;

    case ["seed", var folder]:
        Seeds.Write(folder);
        return 0;

    case ["run", var name]:
    {
        var target = FuzzTargets.Find(name);
        using var input = new MemoryStream();
        Fuzzer.Run(stream =>
        {
            input.SetLength(0);
            stream.CopyTo(input);
            target.Run(input.GetBuffer().AsSpan(0, (int)input.Length));
        });
        return 0;
    }

    case ["replay", var name, .. var files]:
        foreach (var file in files)
        {
            Console.WriteLine(file);
            FuzzTargets.Find(name).Run(File.ReadAllBytes(file));
        }

        return 0;

    default:
        Console.Error.WriteLine("Usage: list | seed FOLDER | run TARGET | replay TARGET FILE...");
        return 2;
}
