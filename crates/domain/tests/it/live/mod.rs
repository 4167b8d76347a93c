mod presence;
